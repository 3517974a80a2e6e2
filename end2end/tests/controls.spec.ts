import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import mqtt, { type MqttClient } from 'mqtt';

import { startServer } from '../server.mjs';
import { expect, openLive, test } from './fixtures.js';

const entity = (key: string, kind: string, more = '') =>
  `[[entity]]\nid = "plant.${key}"\nkind = "${kind}"\ncommand_topic = "plant/${key}/set"\n${more}\n`;
const state = (key: string) => `state_topic = "plant/${key}"\n`;
const CONFIG = [
  entity('flow', 'number', `${state('flow')}unit = "°C"\nmin = 20\nmax = 60\nstep = 0.5\n`),
  entity('mode', 'select', `${state('mode')}options = ["eco", "comfort", "off"]\n`),
  entity('label', 'text', state('label')),
  entity('blind', 'cover', state('blind')),
  entity('restart', 'button'),
].join('\n');

let server: Awaited<ReturnType<typeof startServer>>;
let device: MqttClient;
let heard: string[];
let isSilent: boolean;

test.beforeEach(async () => {
  server = await startServer({ config: CONFIG });
  device = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
  heard = [];
  isSilent = false;
  device.on('message', (topic, payload) => {
    const [key, text] = [topic.split('/')[1], payload.toString()];
    heard.push(`${key} ${text}`);
    if (isSilent || key === 'restart') return;
    const cover: Record<string, string> = { open: '{"state":"open","position":100}', close: '{"state":"closed","position":0}' };
    device.publish(`plant/${key}`, key === 'blind' ? (cover[text] ?? '{}') : text, { qos: 1, retain: true });
  });
  await device.subscribeAsync('plant/+/set', { qos: 1 });
  for (const [key, value] of [['flow', '40'], ['mode', 'eco'], ['label', 'Hall'], ['blind', '{"state":"closed","position":0}']] as const) {
    await device.publishAsync(`plant/${key}`, value, { qos: 1, retain: true });
  }
});

test.afterEach(async () => {
  await device.endAsync();
  await server.stop();
});

const tile = (page: Page, key: string) => page.locator(`article[id="plant.${key}"]`);

for (const javaScriptEnabled of [false, true]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    const open = async (page: Page, path: string) => {
      if (!javaScriptEnabled) return void (await page.goto(server.http + path));
      const code = page.waitForResponse(/split_rare/);
      await openLive(page, server.http + path);
      await code;
    };
    /** A page without script shows what is new when it is asked for again. */
    const shows = async (page: Page, path: string, key: string, words: string | RegExp) => {
      if (javaScriptEnabled) return void (await expect(tile(page, key)).toContainText(words));
      await expect(async () => {
        await page.goto(server.http + path);
        await expect(tile(page, key)).toContainText(words, { timeout: 1 });
      }).toPass({ timeout: 10_000 });
    };

    test('a number, a word, a text, a cover and a button are asked for on the overview', async ({ page }) => {
      await open(page, '/');
      await tile(page, 'flow').getByRole('spinbutton').fill('45.5');
      await tile(page, 'flow').getByRole('button', { name: 'Set Flow' }).click();
      await shows(page, '/', 'flow', '45.5');
      await tile(page, 'mode').getByRole('combobox').selectOption('comfort');
      await tile(page, 'mode').getByRole('button', { name: 'Set Mode' }).click();
      await shows(page, '/', 'mode', /comfort/i);
      await tile(page, 'label').getByRole('textbox').fill('Attic <b>');
      await tile(page, 'label').getByRole('button', { name: 'Set Label' }).click();
      await shows(page, '/', 'label', 'Attic <b>');
      await tile(page, 'blind').getByRole('button', { name: 'Open Blind' }).click();
      await shows(page, '/', 'blind', /open/i);
      await tile(page, 'restart').getByRole('button', { name: 'Press Restart' }).click();
      await expect.poll(() => heard).toEqual(['flow 45.5', 'mode comfort', 'label Attic <b>', 'blind open', 'restart PRESS']);
      expect(new URL(page.url()).pathname).toBe('/');
    });

    test('the page of the device has the same controls', async ({ page }) => {
      await open(page, '/devices/plant');
      const controls = page.getByRole('region', { name: 'Controls' });
      await expect(controls.getByRole('listitem')).toHaveCount(5);
      await controls.getByRole('button', { name: 'Open Blind' }).click();
      await controls.getByRole('spinbutton').fill('50');
      await controls.getByRole('button', { name: 'Set Flow' }).click();
      await expect.poll(() => heard).toEqual(['blind open', 'flow 50']);
    });
  });
}

test('what the device does not answer is pending, then not confirmed, and can be asked for again; cut off it is locked', async ({ page }) => {
  test.setTimeout(90_000);
  isSilent = true;
  const code = page.waitForResponse(/split_rare/);
  await openLive(page, `${server.http}/`);
  await code;
  const flow = tile(page, 'flow');
  await flow.getByRole('spinbutton').fill('30');
  await flow.getByRole('spinbutton').press('Enter');
  await expect(flow).toHaveAttribute('data-command', 'pending');
  await expect(flow.getByRole('button')).toHaveAttribute('aria-busy', 'true');
  await expect(flow).toHaveAttribute('data-command', 'failed', { timeout: 30_000 });
  await expect(flow).toContainText('Not confirmed');
  await expect(flow).toContainText('40');
  isSilent = false;
  await expect(flow.getByRole('button')).toHaveText('Retry');
  await flow.getByRole('button').click();
  await expect(flow.locator('data')).toHaveText(/^30/);
  await expect.poll(() => heard).toEqual(['flow 30', 'flow 30']);
  await server.stop();
  for (const control of await flow.locator('input:not([type=hidden]), button').all()) await expect(control).toBeDisabled();
  server = await startServer();
});

test('the controls have no serious barrier', async ({ page }) => {
  for (const path of ['/', '/devices/plant']) {
    await openLive(page, server.http + path);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
  }
});
