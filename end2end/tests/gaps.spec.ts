import type { Page, WebSocket } from '@playwright/test';
import mqtt, { type MqttClient } from 'mqtt';

import { startServer } from '../server.mjs';
import { expect, openLive, report, test, tileOf } from './fixtures.js';
import { Line } from './proxy.js';

const LOST = '[data-link=lost], [data-kind=lost]';
const rule = (id: string) =>
  `[[rule]]\nid = "${id}-hot"\nentity = "${id}.temperature"\ncondition = { type = "above", limit = 30 }\nseverity = "critical"\n`;

let server: Awaited<ReturnType<typeof startServer>>;
let plant: MqttClient;
let line: Line;

test.beforeEach(async () => {
  server = await startServer({ config: ['first', 'second'].map(rule).join('') });
  plant = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
  line = await Line.to(server.http);
});

test.afterEach(async () => {
  await line.cut();
  await plant.endAsync();
  await server.stop();
});

/** The types of the frames that go through a page's sockets from now on, both ways; the socket is counted in front. */
function frames(page: Page): string[] {
  const seen: string[] = [];
  let sockets = 0;
  const type = (payload: string | Buffer) => JSON.parse(payload.toString()).type;
  page.on('websocket', (socket: WebSocket) => {
    sockets += 1;
    const n = sockets;
    socket.on('framesent', ({ payload }) => seen.push(`${n} > ${type(payload)}`));
    socket.on('framereceived', ({ payload }) => seen.push(`${n} < ${type(payload)}`));
  });
  return seen;
}

/** What `document.hidden` says from now on: a headless browser shows all of its pages. */
async function hide(page: Page, hidden: boolean) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, hidden);
}

test('after a cut a page goes on where it was: what came is there, what cleared is gone, and it says what it missed', async ({ page, request }) => {
  const seen = frames(page);
  await report(plant, 'first', 'temperature', '31');
  await report(plant, 'second', 'temperature', '20');
  await plant.publishAsync('state/lights/hall', 'off', { qos: 1, retain: true });
  await openLive(page, `${line.url}/`);
  const alarms = page.getByRole('region', { name: 'Active alarms' });
  await expect(alarms).toContainText('31');
  await alarms.getByRole('button', { name: /Acknowledge/ }).click();
  await expect(alarms.getByRole('button')).toHaveCount(0);
  const control = tileOf(page, 'hall').getByRole('switch');
  await expect(control).toBeEnabled();

  await line.cut();
  await expect(page.locator(LOST).first()).toBeVisible();
  await expect(control).toBeDisabled();
  await report(plant, 'first', 'temperature', '22.5');
  await report(plant, 'second', 'temperature', '33.5');
  await report(plant, 'third', 'temperature', '11.5');
  const asked = await request.post(`${server.http}/api/v1/entities/hall.light/command`, { data: { action: 'turn_on' } });
  expect(asked.status()).toBe(202);
  await plant.publishAsync('state/lights/hall', 'on', { qos: 1, retain: true });
  await expect.poll(async () => (await (await request.get(`${server.http}/api/v1/activity?what=turn_on`)).json()).items[0]?.outcome).toBe('confirmed');

  await line.restore();
  await expect(page.locator(LOST)).toHaveCount(0, { timeout: 20_000 });
  await expect(alarms).toContainText('33.5');
  await expect(alarms).not.toContainText('22.5');
  await expect(tileOf(page, 'first')).toContainText('22.5');
  await expect(tileOf(page, 'first')).toHaveAttribute('data-quality', 'fresh');
  await expect(tileOf(page, 'third')).toContainText('11.5');
  await expect(control).toHaveAttribute('aria-checked', 'true');
  await expect(control).toBeEnabled();
  const after = seen.filter((frame) => !frame.startsWith('1 '));
  expect(after.filter((frame) => /(resume|resumed|snapshot|subscribe)$/.test(frame)).map((frame) => frame.slice(2))).toEqual(['> resume', '< resumed']);

  const notice = page.getByRole('status').filter({ hasText: 'While you were away' });
  // One raised, one back; the acknowledgement right before the cut may count.
  await expect(notice).toContainText(/[23] alarm events, 1 command/);
  await expect(notice.getByRole('listitem')).toHaveCount(3);
  await expect(notice).toContainText('Hall turned on');
  await expect(notice).toContainText('above 30');
  await notice.getByRole('link', { name: 'Show in the log' }).click();
  await expect(page).toHaveURL(/\/activity\?from=\d+&to=\d+$/);
  await expect(page.locator('ol.log > li')).not.toHaveCount(0);
  await expect(page.locator('ol.log')).not.toContainText('Server started');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(notice).toHaveCount(0);
});

test('after a cut in which nothing happened nothing is said', async ({ page }) => {
  await report(plant, 'first', 'temperature', '21');
  await openLive(page, `${line.url}/`);
  await line.cut();
  await expect(page.locator(LOST).first()).toBeVisible();
  const told = page.waitForResponse((response) => response.url().endsWith('/fn/away'));
  await line.restore();
  expect((await (await told).json()).rows).toEqual([]);
  await expect(page.locator(LOST)).toHaveCount(0);
  await expect(page.getByText('While you were away')).toHaveCount(0);
});

test('a page that nobody looks at pauses, hears alarms, and shows nothing as fresh before it knows everything again', async ({ page }) => {
  const seen = frames(page);
  await report(plant, 'first', 'temperature', '21');
  await openLive(page, `${line.url}/`);
  const tile = tileOf(page, 'first');
  await report(plant, 'first', 'temperature', '22');
  await expect(tile).toContainText('22');
  await hide(page, true);
  await expect.poll(() => seen.includes('1 > pause'), { timeout: 20_000 }).toBe(true);
  const before = seen.length;
  await expect(tile).toHaveAttribute('data-quality', 'stale');
  await report(plant, 'first', 'temperature', '31');
  await expect(page.locator('#live-alert')).toContainText('Critical alarm');
  expect(seen.slice(before).filter((frame) => frame === '1 < changes')).toEqual([]);
  await expect(tile).toContainText('22');
  await expect(tile).toContainText('As of');

  // Looked at again while the line stands still, the tile is of the moment before.
  line.silence();
  await hide(page, false);
  await expect.poll(() => seen.includes('1 > resume')).toBe(true);
  await expect(tile).toHaveAttribute('data-quality', 'stale');
  await expect(tile).toContainText('22');
  await line.cut();
  await line.restore();
  await expect(tile).toContainText('31');
  await expect(tile).toHaveAttribute('data-quality', 'fresh');
  await expect(page.getByRole('status').filter({ hasText: 'While you were away' })).toContainText('1 alarm event');
});

test('a page that is looked at again goes on over the same connection', async ({ page }) => {
  const seen = frames(page);
  await report(plant, 'first', 'temperature', '21');
  await openLive(page, `${line.url}/`);
  await hide(page, true);
  await expect.poll(() => seen.includes('1 > pause'), { timeout: 20_000 }).toBe(true);
  await report(plant, 'first', 'temperature', '23');
  await hide(page, false);
  await expect(tileOf(page, 'first')).toContainText('23');
  await expect(tileOf(page, 'first')).toHaveAttribute('data-quality', 'fresh');
  expect(seen.filter((frame) => /snapshot|resumed/.test(frame))).toEqual(['1 < snapshot', '1 < resumed']);
});

test('a page whose browser slept does not believe its values before the server spoke', async ({ page }) => {
  const seen = frames(page);
  await report(plant, 'first', 'temperature', '21');
  await openLive(page, `${line.url}/`);
  await expect(tileOf(page, 'first')).toHaveAttribute('data-quality', 'fresh');
  line.silence();
  // The clock goes on while the page stands still.
  await page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 60_000;
  });
  await expect(tileOf(page, 'first')).toHaveAttribute('data-quality', 'stale');
  await line.cut();
  await line.restore();
  await expect(tileOf(page, 'first')).toHaveAttribute('data-quality', 'fresh', { timeout: 20_000 });
  expect(seen.filter((frame) => frame.endsWith('> resume')).length).toBeGreaterThan(0);
});
