import { AxeBuilder } from '@axe-core/playwright';

import { expect, freshDevice, openLive, test } from './fixtures.js';

for (const javaScriptEnabled of [false, true]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('a group, a scene and a schedule are made, run and deleted', async ({ page, devices }) => {
      const lamp = freshDevice('lamp');
      devices.on('message', (_topic, payload) => devices.publish(`state/lights/${lamp}`, payload, { qos: 1, retain: true }));
      await devices.subscribeAsync(`control/lights/${lamp}`);
      await devices.publishAsync(`state/lights/${lamp}`, '{"state":"off"}', { qos: 1, retain: true });
      const name = `Test ${lamp}`;

      await page.goto('/scenes');
      await page.getByRole('link', { name: 'New scene' }).click();
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.locator(`tr:has(input[value="${lamp}.light"]) select`).selectOption('turn_on');
      await page.locator(`tr:has(input[value="${lamp}.light"]) input[type=number]`).fill('40');
      await page.getByRole('button', { name: 'Save' }).click();
      const row = page.locator('#scenes tr', { hasText: name });
      await expect(row).toContainText('on at 40 %');
      await row.getByRole('button', { name: `Run ${name}` }).click();
      await expect(page.locator('#scenes tr', { hasText: name })).toContainText('Confirmed');

      await page.getByRole('link', { name: 'New group' }).click();
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.locator(`input[name="members[]"][value="${lamp}.light"]`).check();
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.locator('#groups tr', { hasText: name })).toContainText('On');

      await page.getByRole('link', { name: 'New schedule' }).click();
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByLabel('Set times, as a cron pattern').fill('61 7 * * *');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByRole('alert').filter({ hasText: 'no cron pattern' })).toBeVisible();
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByLabel('Set times, as a cron pattern').fill('0 7 * * *');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.locator('#schedules tr', { hasText: name })).toContainText(', 07:00');

      for (const part of ['#schedules', '#groups', '#scenes']) {
        await page.locator(`${part} tr`, { hasText: name }).getByRole('link', { name: `Delete ${name}` }).click();
        await page.getByRole('button', { name: /^Delete / }).click();
        await expect(page.locator(`${part} tr`, { hasText: name })).toHaveCount(0);
      }
    });
  });
}

test('the tile of a group says how many are on', async ({ page, devices, request }) => {
  const lamps = [freshDevice('a'), freshDevice('b')];
  for (const lamp of lamps) await devices.publishAsync(`state/lights/${lamp}`, 'off', { qos: 1, retain: true });
  await expect
    .poll(async () => {
      const answer = await request.put(`/api/v1/groups/${lamps[0]}`, { data: { name: 'Pair', members: lamps.map((lamp) => `${lamp}.light`) } });
      return answer.ok();
    })
    .toBe(true);
  await openLive(page, '/');
  const tile = page.locator(`article[id="group.${lamps[0]}"]`);
  await expect(tile).toContainText('Off');
  await devices.publishAsync(`state/lights/${lamps[0]}`, 'on', { qos: 1, retain: true });
  await expect(tile).toContainText('Mixed · 1 of 2 on');
  await devices.publishAsync(`state/lights/${lamps[1]}`, 'on', { qos: 1, retain: true });
  await expect(tile).not.toContainText('Mixed');
  await request.delete(`/api/v1/groups/${lamps[0]}`);
});

for (const path of ['/scenes?edit=scene', '/scenes?edit=group', '/scenes?edit=schedule']) {
  test(`${path} has no serious barrier`, async ({ page }) => {
    await openLive(page, path);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
  });
}
