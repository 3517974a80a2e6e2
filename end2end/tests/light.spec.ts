import type { Page } from '@playwright/test';

import { expect, openLive, test } from './fixtures.js';

/** The simulated ceiling light: it obeys, after the delay of a real one. The demo also has a device that never confirms. */
function light(page: Page) {
  return page.locator('article.tile[data-kind=light]').filter({ has: page.getByRole('heading', { name: 'Ceiling light' }) }).first();
}

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a light is switched by its form, and the device confirms it', async ({ page }) => {
    await page.goto('/');
    const control = light(page).getByRole('switch');
    const before = await control.getAttribute('aria-checked');
    expect(before).toMatch(/^(true|false)$/);
    await control.click();
    // The device decides: the page that follows may still show the command on its way.
    await expect(async () => {
      await page.goto('/');
      expect(await light(page).getByRole('switch').getAttribute('aria-checked')).toBe(before === 'true' ? 'false' : 'true');
    }).toPass({ timeout: 10_000 });
  });
});

test('a light is switched by a click, and shows the new state once the device reported it', async ({ page, devices }) => {
  await openLive(page, '/');
  const control = light(page).getByRole('switch');
  const before = await control.getAttribute('aria-checked');
  const after = before === 'true' ? 'false' : 'true';

  const sent: string[] = [];
  devices.on('message', (topic) => sent.push(topic));
  await devices.subscribeAsync('#', { qos: 1, rh: 2 });

  await control.click();
  await expect(control).toHaveAttribute('aria-checked', after, { timeout: 10_000 });
  await expect(control).not.toHaveAttribute('data-command', 'failed');
  expect(sent).not.toEqual([]);
  expect(new URL(page.url()).pathname).toBe('/');

  // What another visitor is told is what the device reported, not what this page hoped for.
  const other = await page.context().newPage();
  await other.goto('/');
  await expect(light(other).getByRole('switch')).toHaveAttribute('aria-checked', after);
});

test('a switch works from the keyboard', async ({ page }) => {
  await openLive(page, '/');
  const control = light(page).getByRole('switch');
  const before = await control.getAttribute('aria-checked');
  await control.focus();
  await page.keyboard.press('Space');
  await expect(control).toHaveAttribute('aria-checked', before === 'true' ? 'false' : 'true', { timeout: 10_000 });
  await expect(control).toBeFocused();
});
