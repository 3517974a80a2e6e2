// Whether a page that stands open for days grows: `npm run measure:kiosk -- [MINUTES]`, 15 when nothing is said.
// A hundred entities that change five times a second each, and a page on a wall that shows them. What it holds after two minutes is compared with
// what it holds at the end, both after the garbage is collected; exit code 1 when anything of it grew by a tenth.
import { chromium } from '@playwright/test';
import mqtt from 'mqtt';

import { launchOptions } from './browser.mjs';
import { startServer } from './server.mjs';

const ENTITIES = 100;
const EVERY_MS = 200;
const WARM_UP_MIN = 2;
const MOST_GROWTH = 0.1;

const minutes = Number(process.argv[2] ?? 15);
if (!(minutes > WARM_UP_MIN)) throw new Error(`MINUTES must be a number above ${WARM_UP_MIN}`);
const server = await startServer();
const devices = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
const browser = await chromium.launch({ ...launchOptions, args: [...launchOptions.args, '--enable-precise-memory-info'] });
let round = 0;
let sent = 0;
const publisher = setInterval(() => {
  round += 1;
  for (let n = 0; n < ENTITIES; n += 1) {
    const value = (20 + 5 * Math.sin((round + n) / 50)).toFixed(2);
    devices.publish(`sensors/kiosk-${String(n).padStart(3, '0')}/temperature`, value, { qos: 0 });
    sent += 1;
  }
}, EVERY_MS);
let failed = [];
try {
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('Performance.enable');
  let frames = 0;
  page.on('websocket', (socket) => socket.on('framereceived', () => (frames += 1)));
  // The module's memory never shrinks: what it reached is what it needs.
  await page.addInitScript(() => {
    const keep = (made) => {
      for (const value of Object.values((made.instance ?? made).exports)) if (value instanceof WebAssembly.Memory) window.wasm ??= value;
      return made;
    };
    for (const name of ['instantiate', 'instantiateStreaming']) {
      const make = WebAssembly[name];
      WebAssembly[name] = (...args) => make.apply(WebAssembly, args).then(keep);
    }
  });
  await page.goto(`${server.http}/`);
  await page.locator('article.tile').nth(ENTITIES - 1).waitFor({ timeout: 60_000 });

  const look = async () => {
    for (let n = 0; n < 3; n += 1) await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { metrics } = await session.send('Performance.getMetrics');
    const metric = (name) => metrics.find((one) => one.name === name)?.value;
    const wasm = await page.evaluate(() => window.wasm?.buffer.byteLength ?? 0);
    return { 'JavaScript heap, bytes': usedSize, 'wasm memory, bytes': wasm, 'DOM nodes': metric('Nodes'), 'event listeners': metric('JSEventListeners') };
  };
  await page.waitForTimeout(WARM_UP_MIN * 60_000);
  const [first, sentFirst, framesFirst, began] = [await look(), sent, frames, Date.now()];
  await page.waitForTimeout((minutes - WARM_UP_MIN) * 60_000);
  const [last, took] = [await look(), (Date.now() - began) / 1000];
  console.log(`${Math.round((sent - sentFirst) / took)} values a second sent, ${Math.round((frames - framesFirst) / took)} frames a second received`);
  for (const [name, before] of Object.entries(first)) {
    const growth = last[name] / before - 1;
    if (!(growth < MOST_GROWTH)) failed.push(name);
    console.log(`${name.padEnd(24)} ${before} after ${WARM_UP_MIN} min, ${last[name]} after ${minutes} min, ${(growth * 100).toFixed(1)} %`);
  }
} finally {
  clearInterval(publisher);
  await browser.close();
  await devices.endAsync(true);
  await server.stop();
}
if (failed.length > 0) {
  console.log(`FAILED: more than ${MOST_GROWTH * 100} % growth of ${failed.join(', ')}`);
  process.exit(1);
}
