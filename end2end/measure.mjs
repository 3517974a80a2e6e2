// How long a visitor on a slow line with a slow processor waits: `npm run measure -- [URL] [RUNS]`.
// Beside it stands what a page with one value and nothing else takes in the same run, for machines are noisy.
// 1.6 Mbit/s down, 750 kbit/s up, 150 ms round trip, processor four times slower; a fresh profile each run; the median counts.
import { createServer } from 'node:http';

import { chromium } from '@playwright/test';

import { SCREENS, launchOptions } from './browser.mjs';
import { startDemo } from './server.mjs';

const url = process.argv[2]?.startsWith('http') ? process.argv[2] : undefined;
const runs = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 5);
const demo = url ? undefined : await startDemo();
const browser = await chromium.launch(launchOptions);
const floor = await serveOneValue();
const rows = [];
try {
  for (let run = 0; run < runs; run += 1) {
    const bare = await visit(`http://127.0.0.1:${floor.address().port}`, { waitsForLive: false });
    rows.push({ 'a page with one value, ms': bare['a value painted, ms'], ...(await visit(url ?? demo.http)) });
  }
} finally {
  await browser.close();
  floor.close();
  await demo?.stop();
}
for (const key of Object.keys(rows[0])) {
  const sorted = rows.map((row) => row[key]).sort((a, b) => a - b);
  console.log(`${key.padEnd(28)} median ${sorted[Math.floor(sorted.length / 2)]}, from ${sorted[0]} to ${sorted.at(-1)}`);
}

/** The least that a page with a value on it can be. */
async function serveOneValue() {
  const page =
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>One value</title></head>' +
    '<body><article class="tile"><data value="21.4">21.4</data></article></body></html>';
  const server = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end(page));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** One first visit. Times are milliseconds since the browser asked for the page. */
async function visit(base, { waitsForLive = true } = {}) {
  const context = await browser.newContext({ viewport: SCREENS.phone, baseURL: base });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: 1_600_000 / 8,
    uploadThroughput: 750_000 / 8,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });

  const seen = { asked: undefined, bytes: {}, types: new Map() };
  session.on('Network.requestWillBeSent', ({ timestamp, type }) => {
    if (type === 'Document') seen.asked ??= timestamp;
  });
  session.on('Network.responseReceived', ({ requestId, type }) => seen.types.set(requestId, type));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const type = seen.types.get(requestId) ?? 'Other';
    seen.bytes[type] = (seen.bytes[type] ?? 0) + encodedDataLength;
  });
  const live = new Set();
  session.on('Network.webSocketCreated', ({ requestId, url }) => new URL(url).pathname === '/live' && live.add(requestId));
  const alive = new Promise((resolve) => {
    session.on('Network.webSocketFrameReceived', ({ requestId, timestamp }) => live.has(requestId) && resolve(timestamp));
  });

  await page.addInitScript(() => {
    const marks = (window.marks = { shift: 0 });
    new PerformanceObserver((list) => {
      for (const shift of list.getEntries()) if (!shift.hadRecentInput) marks.shift += shift.value;
    }).observe({ type: 'layout-shift', buffered: true });
    // The first frame painted with a value on it: found in the document while that frame is made, noted by the task right after it.
    const look = () => {
      if (!document.querySelector('.tile data[value]')) return requestAnimationFrame(look);
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (marks.value = performance.now());
      port2.postMessage('');
    };
    requestAnimationFrame(look);
  });
  await page.goto('/', { waitUntil: 'commit' });
  const interactive = waitsForLive ? Math.round((await alive - seen.asked) * 1000) : undefined;
  await page.waitForLoadState('load');
  await page.waitForFunction(() => window.marks.value && performance.getEntriesByName('first-contentful-paint').length > 0);
  const { marks, paint } = await page.evaluate(() => ({
    marks: window.marks,
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  }));
  await context.close();
  const all = Object.values(seen.bytes).reduce((sum, bytes) => sum + bytes, 0);
  return {
    'first contentful paint, ms': Math.round(paint),
    'a value painted, ms': Math.round(Math.max(marks.value, paint)),
    'first live frame, ms': interactive,
    'HTML and style sheet, bytes': (seen.bytes.Document ?? 0) + (seen.bytes.Stylesheet ?? 0),
    'all, bytes': all,
    'layout shift, thousandths': Math.round(marks.shift * 1000),
  };
}
