import type { Page } from '@playwright/test';

import { startDemo } from '../server.mjs';
import { expect, openLive, test } from './fixtures.js';

const PAGES = ['/', '/devices', '/history', '/nonsense'];

for (const path of PAGES) {
  test(`${path} hydrates without a word on the console and without moving`, async ({ page }) => {
    const said: string[] = [];
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => said.push(`error: ${error.message}`));
    page.on('requestfailed', (request) => said.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
    page.on('response', (response) => {
      if (response.status() >= 400 && new URL(response.url()).pathname !== path) said.push(`${response.status()}: ${response.url()}`);
    });
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const shift of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
          if (!shift.hadRecentInput) shifts.push(shift.value);
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });

    const socket = await openLive(page, path, { waitUntil: 'load' });
    // The values that arrive now must not move anything either.
    for (let frames = 0; path === '/' && frames < 10; frames += 1) await socket.waitForEvent('framereceived');
    await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));

    // Chromium itself reports the page's own 404.
    const unexpected = said.filter((line) => !(path === '/nonsense' && line.includes('404 (Not Found)')));
    expect(unexpected).toEqual([]);
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.02);
  });
}

test('a first visit transfers at most 300 kB, of which HTML and style sheet at most 30 kB', async ({ page }) => {
  // A demo as it comes: what other tests report to theirs makes its page longer.
  const demo = await startDemo();
  const transferred = await transfers(page, `${demo.http}/`);
  await demo.stop();
  const of = (...types: string[]) => transferred.filter(({ type }) => types.includes(type)).reduce((sum, { bytes }) => sum + bytes, 0);
  const all = transferred.reduce((sum, { bytes }) => sum + bytes, 0);
  const report = transferred.map(({ type, url, bytes }) => `${bytes} ${type} ${url}`).join('\n');
  console.log(`${report}\n${all} in all`);
  expect(of('Document', 'Stylesheet'), report).toBeGreaterThan(0);
  expect(of('Document', 'Stylesheet'), report).toBeLessThanOrEqual(30_000);
  expect(all, report).toBeLessThanOrEqual(300_000);
});

test('a second visit takes all but the page itself from the cache', async ({ page }) => {
  await transfers(page, '/');
  const again = await transfers(page, '/');
  expect(again.filter(({ url, bytes }) => url.includes('/pkg/') && bytes > 0)).toEqual([]);
});

test('every answer forbids what a page of ours never does', async ({ request }) => {
  const headers = (await request.get('/')).headers();
  const policy = headers['content-security-policy'];
  const scripts = policy.split(';').find((rule) => rule.trim().startsWith('script-src'))!;
  expect(scripts).toContain("'nonce-");
  expect(scripts).not.toContain("'unsafe-inline'");
  expect(scripts).not.toContain("'unsafe-eval'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(headers['x-content-type-options']).toBe('nosniff');
});

/** What crosses the wire until the page is alive, headers included. */
async function transfers(page: Page, path: string) {
  const session = await page.context().newCDPSession(page);
  const requests = new Map<string, { url: string; type: string; bytes: number }>();
  session.on('Network.responseReceived', ({ requestId, response, type }) => {
    requests.set(requestId, { url: response.url, type, bytes: 0 });
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) request.bytes = encodedDataLength;
  });
  await session.send('Network.enable');
  await openLive(page, path, { waitUntil: 'load' });
  await session.detach();
  return [...requests.values()];
}
