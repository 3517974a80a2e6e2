import { expect, openLive, test, tileOf } from './fixtures.js';

// A simulated light that obeys, after the delay of a real one. The demo also has a device that never confirms.
const LIGHT = 'ceiling-light';

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a light is switched by its form, and the device confirms it', async ({ page }) => {
    await page.goto('/');
    const control = tileOf(page, LIGHT).getByRole('switch');
    const before = await control.getAttribute('aria-checked');
    expect(before).toMatch(/^(true|false)$/);

    const posted = page.waitForResponse((response) => response.request().method() === 'POST');
    await control.click();
    expect((await posted).status()).toBeLessThan(400);
    await page.waitForLoadState();
    expect(new URL(page.url()).pathname, 'the form leads back to the page').toBe('/');

    // The device decides: the page that follows may still show the command on its way.
    await expect(async () => {
      await page.goto('/');
      await expect(control).toHaveAttribute('aria-checked', before === 'true' ? 'false' : 'true', { timeout: 1 });
    }).toPass({ timeout: 10_000 });
  });
});

test('a light is switched by a click, and shows the new state once the device reported it', async ({ page, devices, context }) => {
  await openLive(page, '/');
  const control = tileOf(page, LIGHT).getByRole('switch');
  const before = await control.getAttribute('aria-checked');
  const after = before === 'true' ? 'false' : 'true';

  const commands: { state: string; qos: number; retained: boolean }[] = [];
  devices.on('message', (_topic, payload, { qos, retain }) => {
    commands.push({ state: JSON.parse(payload.toString()).state.toLowerCase(), qos, retained: retain });
  });
  await devices.subscribeAsync(`control/lights/${LIGHT}`, { qos: 2, rap: true });

  await control.click();
  await expect(control).toHaveAttribute('aria-checked', after, { timeout: 10_000 });
  await expect(control).not.toHaveAttribute('data-command', 'failed');
  await expect.poll(() => commands).toEqual([{ state: after === 'true' ? 'on' : 'off', qos: 1, retained: false }]);
  expect(new URL(page.url()).pathname).toBe('/');

  // What another visitor is told is what the device reported, not what this page hoped for.
  const other = await context.newPage();
  await other.goto('/');
  await expect(tileOf(other, LIGHT).getByRole('switch')).toHaveAttribute('aria-checked', after);
});

test('a switch works from the keyboard and keeps the focus', async ({ page }) => {
  await openLive(page, '/');
  const control = tileOf(page, LIGHT).getByRole('switch');
  const before = await control.getAttribute('aria-checked');
  await control.focus();
  await page.keyboard.press('Space');
  await expect(control).toHaveAttribute('aria-checked', before === 'true' ? 'false' : 'true', { timeout: 10_000 });
  await expect(control).toBeFocused();
});
