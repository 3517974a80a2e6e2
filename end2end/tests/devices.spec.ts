import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { SCREENS } from '../browser.mjs';
import { expect, freshDevice, openLive, report, test } from './fixtures.js';

const rows = (page: Page) => page.locator('.device-table tbody tr');
const row = (page: Page, device: string) => page.locator(`.device-table tbody tr:has(a[href="/devices/${device}"])`);
const tree = (page: Page) => page.getByRole('tree', { name: 'Topics' });

for (const javaScriptEnabled of [false, true]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });
    const open = (page: Page, path: string) => (javaScriptEnabled ? openLive(page, path) : page.goto(path));

    test('devices are counted, narrowed and ordered, and the address says how', async ({ page }) => {
      await open(page, '/devices');
      await expect(page).toHaveTitle('Devices · Signalbox');
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Devices');
      await expect(page.locator('.page-title p')).toHaveText(/^\d+ devices: \d+ online/);
      expect(await rows(page).count()).toBeGreaterThan(10);
      const names = async () => rows(page).locator('th a').allInnerTexts();
      const up = await names();
      await page.getByRole('link', { name: 'Device', exact: true }).click();
      await expect(page).toHaveURL(/sort=-device|sort=%2Ddevice/);
      await expect(page.locator('th[aria-sort=descending]')).toHaveText('Device');
      await expect.poll(async () => (await names())[0]).toBe(up.at(-1));

      await page.getByLabel('Filter devices').fill('pump');
      await page.getByLabel('Filter devices').press('Enter');
      await expect(page).toHaveURL(/q=pump/);
      await expect.poll(async () => (await names()).every((name) => /pump/i.test(name))).toBe(true);
      await page.getByRole('group', { name: 'Status' }).getByRole('link', { name: /^Hidden/ }).click();
      await expect(page.getByRole('heading', { name: 'No device matches' })).toBeVisible();
      await page.getByRole('link', { name: 'Show all devices' }).click();
      await expect(page).toHaveURL(/\/devices$/);
      await expect.poll(names).toEqual(up);
    });

    test('several devices are moved to a new area and hidden at once', async ({ page, devices, request }) => {
      const [a, b] = [freshDevice('bulk-a'), freshDevice('bulk-b')];
      await report(devices, a, 'temperature', '1');
      await report(devices, b, 'temperature', '2');
      await expect.poll(async () => (await request.get(`/api/v1/devices/${b}`)).status()).toBe(200);
      await open(page, '/devices?q=e2e-bulk');
      for (const device of [a, b]) await row(page, device).getByRole('checkbox').check();
      if (javaScriptEnabled) await expect(page.getByRole('toolbar')).toContainText('2 selected');
      await page.getByText('Move to area').click();
      await page.getByLabel('or a new one').fill('Test bench');
      await page.getByRole('button', { name: 'Move', exact: true }).click();
      await expect(page.getByText('2 devices moved to Test bench.').last()).toBeVisible();
      for (const device of [a, b]) {
        await expect(row(page, device)).toContainText('Test bench');
        await expect(row(page, device).getByRole('checkbox')).not.toBeChecked();
        await row(page, device).getByRole('checkbox').check();
      }
      await page.getByRole('button', { name: 'Hide' }).click();
      await expect(row(page, a)).toHaveCount(0);
      await page.getByRole('group', { name: 'Status' }).getByRole('link', { name: /^Hidden/ }).click();
      for (const device of [a, b]) await row(page, device).getByRole('checkbox').check();
      await page.getByRole('button', { name: 'Show', exact: true }).last().click();
      await expect(row(page, a)).toHaveCount(0);
    });

    test('a topic is found level by level and shows its last message and who reads it', async ({ page, devices, request }) => {
      const device = freshDevice('topic');
      await devices.publishAsync(`sensors/${device}/temperature`, '{"value":21.5,"note":"<b>"}', { qos: 1 });
      await expect.poll(async () => (await request.get(`/api/v1/devices/${device}`)).status()).toBe(200);
      await open(page, '/devices');
      const item = (name: string) => tree(page).getByRole('treeitem').filter({ has: page.locator('b', { hasText: new RegExp(`^${name}$`) }) });
      await item('sensors').click();
      await item(device).click();
      await item('temperature').first().click();
      await expect(page).toHaveURL(/topic=sensors/);
      const detail = page.locator('.topic-detail').first();
      await expect(detail.getByRole('heading', { level: 3 })).toHaveText(`sensors/${device}/temperature`);
      await expect(detail.locator('pre')).toContainText('"note": "<b>"');
      await expect(detail.locator(`a[href="/devices/${device}"]`).first()).toBeVisible();
      await page.getByLabel('Filter topics').fill(`sensors/${device}/#`);
      await page.getByLabel('Filter topics').press('Enter');
      await expect(page).toHaveURL(/topics=/);
      await expect(item('clients')).toHaveCount(0);
      await expect(item(device)).toBeVisible();
    });

    test('a pattern is made of a topic, shows what it would match, and is saved only then', async ({ page, devices, request }) => {
      const site = freshDevice('pattern');
      const device = `${site}-meter`;
      const heard = async () => (await request.get(`/api/v1/topics?prefix=${site}/`)).json();
      await devices.publishAsync(`${site}/hall/${device}/power`, '<b>5</b>', { qos: 1 });
      await expect.poll(async () => (await heard()).items.length).toBe(1);
      await open(page, `/devices?topic=${site}/hall/${device}/power`);
      await page.getByRole('link', { name: 'Make a pattern of this topic' }).click();
      const section = page.locator('#patterns');
      const field = section.getByRole('textbox', { name: /^Pattern \d+$/ }).last();
      await expect(field).toHaveValue(`${site}/hall/{device}/{measure}`);
      const save = section.getByRole('button', { name: 'Save' });
      await expect(save).toHaveCount(0);

      await field.fill(`${site}/#`);
      await section.getByRole('button', { name: 'Preview', exact: true }).click();
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expect(section).toContainText('# is none here');
      await expect(save).toHaveCount(0);

      await field.fill(`${site}/{area}/{device}/{measure}`);
      await section.getByLabel('Only topics with').fill(site);
      await field.press('Enter');
      const found = section.getByRole('row').filter({ hasText: `${site}/hall/${device}/power` });
      await expect(found).toContainText(`${device}.power`);
      await expect(found).toContainText('nothing');
      if (javaScriptEnabled) {
        const { violations } = await new AxeBuilder({ page }).include('#patterns').analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
      }
      await save.click();
      await expect(section).toContainText('Topic patterns saved');
      const { items } = await (await request.get('/api/v1/topic-patterns')).json();
      expect(items.map(({ pattern }: { pattern: string }) => pattern)).toContain(`${site}/{area}/{device}/{measure}`);
      await devices.publishAsync(`${site}/hall/${device}/power`, '6', { qos: 1 });
      await expect.poll(async () => (await request.get(`/api/v1/entities/${device}.power`)).status()).toBe(200);

      // Taken away again: the demo goes on as it was.
      await section.getByRole('button', { name: /^Remove pattern/ }).last().click();
      await expect(section.getByText(`${site}/{area}`)).toHaveCount(0);
      await section.getByRole('button', { name: 'Preview', exact: true }).click();
      await section.getByRole('button', { name: 'Save' }).click();
      await expect(section).toContainText('Topic patterns saved');
      await expect.poll(async () => (await request.get(`/api/v1/entities/${device}.power`)).status()).toBe(404);
    });

    test('what a broker retains of a removed device is cleared only after a dry run', async ({ page, devices, request }) => {
      const device = freshDevice('ghost');
      await devices.publishAsync(`devices/${device}/status`, 'offline', { qos: 1, retain: true });
      await expect.poll(async () => (await request.get(`/api/v1/devices/${device}`)).status()).toBe(200);
      expect((await request.delete(`/api/v1/devices/${device}`)).status()).toBe(204);
      const retained: string[] = [];
      devices.on('message', (topic, payload) => retained.push(`${topic} ${payload.toString()}`));
      await open(page, '/devices');
      const ghosts = page.locator('#ghosts');
      // It stands open by itself while the last clearing is told of.
      const isOpen = (await ghosts.locator('details').first().getAttribute('open')) !== null;
      if (!isOpen) await ghosts.getByRole('heading', { name: /^Ghosts \(\d+\+?\)$/ }).click();
      await expect(ghosts).toContainText('Removed');
      await ghosts.locator(`[name=dry][value="${device}"]`).check();
      await expect(ghosts.getByRole('button', { name: /^Clear \d/ })).toHaveCount(0);
      await ghosts.getByRole('button', { name: 'Dry run' }).click();
      await expect(page).toHaveURL(new RegExp(`dry=${device}`));
      await expect(ghosts.getByRole('form', { name: 'Dry run' })).toContainText('1 retained message of 1 device would be cleared, 7 bytes');
      await expect(ghosts.getByRole('form', { name: 'Dry run' })).toContainText(`devices/${device}/status`);
      // Nothing is cleared so far: who subscribes now is given it.
      await devices.subscribeAsync(`devices/${device}/status`, { qos: 1 });
      await expect.poll(() => retained).toEqual([`devices/${device}/status offline`]);
      await ghosts.getByRole('button', { name: 'Clear 1 message' }).click();
      await expect(page).not.toHaveURL(/dry=/);
      await expect(page.getByText('Clearing 1 retained message.')).toBeVisible();
      await expect.poll(() => retained.at(-1)).toBe(`devices/${device}/status `);
      await expect.poll(async () => JSON.stringify(await (await request.get('/api/v1/ghosts')).json())).not.toContain(`"device":"${device}"`);
      expect((await request.get(`/api/v1/devices/${device}`)).status()).toBe(404);
    });

    test('what is published is acknowledged by the broker, and what cannot be is refused by name', async ({ page, devices }) => {
      const topic = `hand/${freshDevice('publish')}`;
      const heard: string[] = [];
      devices.on('message', (on, payload, packet) => heard.push(`${on} ${payload} ${packet.retain}`));
      await devices.subscribeAsync(`${topic}/#`);
      await open(page, '/devices');
      const form = page.locator('#publish');
      await form.getByLabel('Topic').fill(`${topic}/set`);
      await form.getByLabel('Payload').fill('ON');
      await form.getByRole('button', { name: 'Publish' }).click();
      await expect(form).toContainText(/Acknowledged by .+ in \d+ ms\./);
      await expect.poll(() => heard).toEqual([`${topic}/set ON false`]);

      await form.getByLabel('Topic').fill(`${topic}/+`);
      await form.getByRole('button', { name: 'Publish' }).click();
      await expect(form).toContainText('holds a wildcard');
      await expect(form.getByLabel('Topic')).toHaveAttribute('aria-invalid', 'true');
      await expect(form.getByLabel('Topic')).toHaveValue(`${topic}/+`);
      expect(heard.length).toBe(1);
    });
  });
}

test('a page that stands open learns what is new and keeps selection and focus', async ({ page, devices, request }) => {
  const device = freshDevice('news');
  await report(devices, device, 'temperature', '1');
  await devices.publishAsync(`devices/${device}/status`, 'online', { qos: 1, retain: true });
  await expect.poll(async () => (await request.get(`/api/v1/devices/${device}`)).status()).toBe(200);
  await openLive(page, `/devices?q=${device}`);
  const box = row(page, device).getByRole('checkbox');
  await box.check();
  await box.focus();
  await devices.publishAsync(`devices/${device}/status`, 'offline', { qos: 1, retain: true });
  await expect(row(page, device).locator('.status')).toHaveText('Offline', { timeout: 25_000 });
  await expect(page.locator('.page-title p')).toContainText('offline');
  await expect(box).toBeChecked();
  await expect(box).toBeFocused();
});

test('the tree is walked with the arrow keys, and what was opened stays open', async ({ page }) => {
  await openLive(page, '/devices');
  const first = tree(page).getByRole('treeitem').first();
  await first.focus();
  await page.keyboard.press('ArrowRight');
  await expect(first).toHaveAttribute('aria-expanded', 'true');
  await expect(first).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(tree(page).getByRole('group').first().getByRole('treeitem').first()).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(first).toBeFocused();
  const other = tree(page).locator(':scope > li > a[aria-expanded=false]').first();
  await other.click();
  await expect(tree(page).locator(':scope > li > a[aria-expanded=true]')).toHaveCount(2);
  await first.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(first).toHaveAttribute('aria-expanded', 'false');
});

for (const [screen, viewport] of Object.entries(SCREENS)) {
  test(`the page has no serious barrier on a ${screen} while something is selected and a topic is looked at`, async ({ page, devices }) => {
    await page.setViewportSize(viewport);
    const device = freshDevice('axe');
    await devices.publishAsync(`sensors/${device}/temperature`, 'no number', { qos: 1 });
    await openLive(page, `/devices?topic=sensors/${device}/temperature`);
    await rows(page).first().getByRole('checkbox').check();
    await expect(page.getByRole('toolbar')).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  });
}
