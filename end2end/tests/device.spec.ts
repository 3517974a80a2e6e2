import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import mqtt, { type MqttClient } from 'mqtt';

import { SCREENS } from '../browser.mjs';
import { startServer } from '../server.mjs';
import { expect, openLive, test } from './fixtures.js';

const CONFIG = `[[entity]]
id = "heat.heating"
kind = "climate"
name = "Heating"
command_topic = "heat/set"
state_topic = "heat/state"
min = 5
max = 30
step = 0.5
options = ["heat", "off"]
`;

let server: Awaited<ReturnType<typeof startServer>>;
let device: MqttClient;

test.beforeAll(async () => {
  server = await startServer({ config: CONFIG });
  device = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
});

test.afterAll(async () => {
  await device.endAsync();
  await server.stop();
});

const say = (topic: string, payload: string) => device.publishAsync(topic, payload, { qos: 1, retain: true });

/** A device with two sensors, known to the server; each test has its own. */
async function fresh(page: Page, name: string) {
  await say(`sensors/${name}/temperature`, '21.5');
  await say(`sensors/${name}/rssi`, '-61');
  await expect.poll(async () => (await page.request.get(`${server.http}/api/v1/entities/${name}.rssi`)).status()).toBe(200);
}

for (const javaScriptEnabled of [false, true]) {
  const mark = javaScriptEnabled ? 'js' : 'html';
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    const open = (page: Page, path: string) => (javaScriptEnabled ? openLive(page, server.http + path) : page.goto(server.http + path));

    test('a device is renamed, moved, hidden, shown and removed', async ({ page }) => {
      const name = `node-${mark}`;
      await fresh(page, name);
      await open(page, `/devices/${name}`);
      await expect(page.locator('.device-head')).toContainText('−61 dBm');

      await page.getByRole('link', { name: 'Rename', exact: true }).click();
      await page.getByLabel('Name', { exact: true }).fill(`Boiler <${mark}>`);
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Boiler <${mark}>`);
      await expect(page.getByText('The name is changed.').first()).toBeVisible();

      await page.locator('summary', { hasText: 'No area' }).click();
      await page.getByRole('link', { name: 'New area' }).click();
      await page.getByLabel('Name of the area').fill(`Cellar ${mark}`);
      await page.getByRole('button', { name: 'Move there' }).click();
      await expect(page.getByRole('navigation', { name: 'Breadcrumb' })).toContainText(`Cellar ${mark}`);

      await page.getByRole('button', { name: 'Hide', exact: true }).first().click();
      await expect(page.getByText('Diagnostics and settings (2)')).toBeVisible();
      await page.getByRole('button', { name: 'Show', exact: true }).first().click();
      await expect(page.getByText('Diagnostics and settings')).toHaveCount(0);

      await page.locator('summary[aria-label="More actions"]').click();
      await page.getByRole('link', { name: 'Remove', exact: true }).click();
      await expect(page.locator('#form')).toContainText('what the broker replays does not bring it back');
      await page.getByLabel('Yes, remove it').check();
      await page.getByRole('button', { name: 'Remove device' }).click();
      await expect(page).toHaveURL(new RegExp(`/devices\\?removed=${name}$`));
      expect((await page.request.get(`${server.http}/api/v1/devices/${name}`)).status()).toBe(404);
    });

    test('an entity is renamed, hidden, and asked why there is no data of it', async ({ page }) => {
      const name = `meter-${mark}`;
      await fresh(page, name);
      await open(page, `/devices/${name}`);
      const row = page.locator('tr', { hasText: 'temperature' });
      await row.locator('summary').click();
      await row.getByRole('link', { name: 'Rename, unit, decimals' }).click();
      await page.getByLabel('Name', { exact: true }).fill('Flow');
      await page.getByLabel('Decimals').selectOption('2');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.locator('tr', { hasText: 'Flow' })).toContainText('21.50');

      await say(`sensors/${name}/temperature`, 'warm');
      await expect(async () => {
        await page.goto(`${server.http}/devices/${name}?why=${name}.temperature`);
        await expect(page.locator('#why')).toContainText('The last message could not be read', { timeout: 1 });
      }).toPass({ timeout: 10_000 });
      await expect(page.locator('#why li')).toHaveCount(7);
    });

    test('a climate is set by steps and words', async ({ page }) => {
      const asked: string[] = [];
      const climate = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
      climate.on('message', (_topic, payload) => {
        asked.push(payload.toString());
        climate.publish('heat/state', payload, { qos: 1, retain: true });
      });
      await climate.publishAsync('heat/state', '{"mode":"heat","temperature":20,"fan_mode":"low"}', { qos: 1, retain: true });
      await climate.subscribeAsync('heat/set', { qos: 1 });
      await expect
        .poll(async () => (await (await page.request.get(`${server.http}/api/v1/entities/heat.heating`)).json()).v?.temperature)
        .toBe(20);
      await open(page, '/devices/heat');
      if (javaScriptEnabled) await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
      await page.getByRole('button', { name: /more$/ }).click();
      await expect.poll(() => asked.map((text) => JSON.parse(text).temperature)).toEqual([20.5]);
      await page.goto(`${server.http}/devices/heat`);
      await expect(page.getByRole('spinbutton')).toHaveValue('20.5');
      await page.getByLabel('Heating mode', { exact: true }).selectOption('off');
      await page.getByRole('button', { name: 'Set Heating mode' }).click();
      await expect.poll(() => asked.length).toBe(2);
      expect(JSON.parse(asked[1]!).mode).toBe('off');
      await climate.endAsync();
    });
  });
}

test('messages come while the page is open, and stand still while it is paused', async ({ page }) => {
  await fresh(page, 'talker');
  await openLive(page, `${server.http}/devices/talker`);
  const messages = page.getByRole('region', { name: 'Last messages' });
  await say('sensors/talker/temperature', '22.125');
  await expect(messages).toContainText('22.125');
  await messages.getByRole('button', { name: 'Pause' }).click();
  await expect(messages.getByRole('button', { name: 'Pause' })).toHaveAttribute('aria-pressed', 'true');
  await say('sensors/talker/temperature', '23.125');
  // The value is live all the same.
  await expect(page.locator('tr', { hasText: 'temperature' })).toContainText('23.125');
  await expect(messages).not.toContainText('23.125');
  await messages.getByRole('button', { name: 'Pause' }).click();
  await expect(messages).toContainText('23.125');
});

for (const [screen, viewport] of Object.entries(SCREENS)) {
  test(`no barrier, and nothing wider than the page, at the size of a ${screen}`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await fresh(page, 'plain');
    await fresh(page, 'plainer');
    for (const query of ['', '?edit=name', '?edit=merge', '?edit=remove', '?edit=plain.rssi', '?why=plain.rssi', '?done=name']) {
      await openLive(page, `${server.http}/devices/plain${query}`);
      if (!query) await page.locator('summary[aria-label="More actions"]').click();
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious.map(({ id, nodes }) => `${query} ${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    }
  });
}
