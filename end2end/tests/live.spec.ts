import mqtt from 'mqtt';

import { startDemo } from '../server.mjs';
import { expect, freshDevice, openLive, report, test, tileOf } from './fixtures.js';
import { Line } from './proxy.js';

test('a value moves without a reload', async ({ page, devices }) => {
  const device = freshDevice('moves');
  await report(devices, device, 'temperature', '21.7');
  await openLive(page, '/');
  await page.evaluate(() => Object.assign(window, { marker: true }));
  const tile = tileOf(page, device);
  await expect(tile).toContainText('21.7');
  await expect(tile).toContainText('°C');

  await report(devices, device, 'temperature', '23.9');
  await expect(tile).toContainText('23.9');
  await expect(tile.locator('data')).toHaveAttribute('value', '23.9');
  expect(await page.evaluate(() => 'marker' in window)).toBe(true);
});

test('a sensor that nobody knew appears as a tile', async ({ page, devices }) => {
  const device = freshDevice('new');
  await openLive(page, '/');
  await expect(tileOf(page, device)).toHaveCount(0);
  await report(devices, device, 'humidity', '55');
  await expect(tileOf(page, device)).toContainText('55');
  await expect(tileOf(page, device)).toContainText('%');
});

test('what nobody has named fills the page up to a limit only', async ({ page }) => {
  const demo = await startDemo({ env: { SIGNALBOX_DISCOVERY_MOST_UNCLAIMED: '2' } });
  const devices = await mqtt.connectAsync(demo.mqtt, { protocolVersion: 5 });
  try {
    await openLive(page, `${demo.http}/`);
    const tiles = page.locator('article');
    const before = await tiles.count();
    for (const n of [1, 2, 3, 4]) await report(devices, `flood-${n}`, 'temperature', `${n}.5`);
    await expect(tileOf(page, 'flood-2')).toContainText('2.5');
    // The first one is heard again after all of them have come.
    await report(devices, 'flood-1', 'temperature', '9.5');
    await expect(tileOf(page, 'flood-1')).toContainText('9.5');
    await expect(tiles).toHaveCount(before + 2);
    await page.reload();
    await expect(page.getByText('Not shown: 2 entities that nobody has named')).toBeVisible();
    await expect(tiles).toHaveCount(before + 2);
    // Its own page shows such an entity, and keeps it up to date.
    await openLive(page, `${demo.http}/devices/flood-4`);
    await expect(page.getByRole('main')).toContainText('4.5');
    await report(devices, 'flood-4', 'temperature', '6.5');
    await expect(page.getByRole('main')).toContainText('6.5');
    await page.getByRole('link', { name: 'Overview' }).first().click();
    await expect(tiles).toHaveCount(before + 2);
  } finally {
    await devices.endAsync();
    await demo.stop();
  }
});

test('a device that dies is shown offline', async ({ page, devices }) => {
  const device = freshDevice('dies');
  await devices.publishAsync(`devices/${device}/status`, 'online', { qos: 1, retain: true });
  await report(devices, device, 'temperature', '20.5');
  await openLive(page, '/');
  await expect(tileOf(page, device)).toHaveAttribute('data-quality', 'fresh');
  await devices.publishAsync(`devices/${device}/status`, 'offline', { qos: 1, retain: true });
  await expect(tileOf(page, device)).toHaveAttribute('data-quality', 'offline');
  await expect(tileOf(page, device)).toContainText(/offline/i);
});

test('names and texts of devices are never markup', async ({ page, devices }) => {
  const device = freshDevice('hostile');
  const hostile = '<img src=x onerror="window.hacked=1">';
  await devices.publishAsync(`sensors/${device}/mode`, hostile, { qos: 1, retain: true });
  await openLive(page, '/');
  await expect(tileOf(page, device)).toContainText(hostile);
  await devices.publishAsync(`sensors/${device}/mode`, `${hostile}2`, { qos: 1, retain: true });
  await expect(tileOf(page, device)).toContainText(`${hostile}2`);
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test.describe('when the line breaks', () => {
  const LOST = '[data-link=lost], [data-kind=lost]';

  test('the page says so within 8 s, recovers by itself and shows what it missed', async ({ page, devices, baseURL }) => {
    const device = freshDevice('cut');
    await report(devices, device, 'temperature', '11.1');
    const line = await Line.to(baseURL!);
    try {
      await openLive(page, `${line.url}/`);
      await page.evaluate(() => Object.assign(window, { marker: true }));
      await expect(tileOf(page, device)).toContainText('11.1');
      await expect(page.locator(LOST)).toHaveCount(0);

      await line.cut();
      await expect(page.locator(LOST).first()).toBeVisible({ timeout: 8_000 });
      await expect(page.locator('.page-title p')).toContainText(/as of \d\d:\d\d:\d\d/);
      await expect(page.locator('#main')).not.toContainText(/fresh/);
      await report(devices, device, 'temperature', '12.2');

      await line.restore();
      await expect(page.locator(LOST)).toHaveCount(0, { timeout: 20_000 });
      await expect(tileOf(page, device)).toContainText('12.2');
      expect(await page.evaluate(() => 'marker' in window)).toBe(true);
    } finally {
      await line.cut();
    }
  });

  test('a server that falls silent is noticed within 35 s', async ({ page, baseURL }) => {
    test.setTimeout(80_000);
    const line = await Line.to(baseURL!);
    try {
      await openLive(page, `${line.url}/`);
      line.silence();
      await expect(page.locator(LOST).first()).toBeVisible({ timeout: 35_000 });
      // The machine came back; what was open is gone.
      await line.cut();
      await line.restore();
      await expect(page.locator(LOST)).toHaveCount(0, { timeout: 20_000 });
    } finally {
      await line.cut();
    }
  });
});
