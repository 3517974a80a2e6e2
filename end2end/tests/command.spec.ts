import type { Browser, Page } from '@playwright/test';
import mqtt, { type MqttClient } from 'mqtt';

import { SCREENS } from '../browser.mjs';
import { startServer } from '../server.mjs';
import { expect, openLive, test, tileOf } from './fixtures.js';

let server: Awaited<ReturnType<typeof startServer>>;
let device: MqttClient;
/** The lamp answers when it is told to. */
let answer: (() => Promise<unknown>) | undefined;

test.beforeEach(async () => {
  server = await startServer();
  device = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
  await device.publishAsync('state/lights/lamp', 'off', { qos: 1, retain: true });
  answer = undefined;
  device.on('message', (_topic, payload) => (answer = () => device.publishAsync('state/lights/lamp', payload, { qos: 1, retain: true })));
  await device.subscribeAsync('control/lights/lamp', { qos: 1 });
});

test.afterEach(async () => {
  await device.endAsync();
  await server.stop();
});

/** The lamp's switch on a page of a visitor of its own. */
async function visitor(browser: Browser, options = {}): Promise<[Page, ReturnType<Page['locator']>]> {
  const page = await (await browser.newContext(options)).newPage();
  await openLive(page, `${server.http}/`);
  const control = tileOf(page, 'lamp').getByRole('switch');
  await expect(control).toHaveAttribute('aria-checked', 'false');
  return [page, control];
}

test('by mouse, keys and touch a press is pending until the device answers, and then confirmed in every open page', async ({ browser }) => {
  const [page, control] = await visitor(browser);
  const [, other] = await visitor(browser, { viewport: SCREENS.phone, hasTouch: true, isMobile: true });
  const presses: [typeof control, () => Promise<void>][] = [
    [control, () => control.click()],
    [control, () => control.press('Enter')],
    [other, () => other.tap()],
  ];
  let state = 'false';
  for (const [pressed, press] of presses) {
    const wanted = state === 'true' ? 'false' : 'true';
    answer = undefined;
    await press();
    await expect(pressed).toHaveAttribute('data-command', 'pending');
    await expect.poll(() => answer).toBeDefined();
    // The device has not spoken: nothing is called switched.
    for (const shown of [control, other]) await expect(shown).toHaveAttribute('aria-checked', state);
    await answer!();
    for (const shown of [control, other]) await expect(shown).toHaveAttribute('aria-checked', wanted);
    await expect(pressed).toHaveAttribute('data-command', 'confirmed');
    await expect(pressed).not.toHaveAttribute('data-command', /./);
    state = wanted;
  }
  await expect(page.locator('#live-status')).toHaveText('Lamp is off, confirmed');
});

test('a device that is silent fails the command, and Retry asks again', async ({ browser }) => {
  test.setTimeout(90_000);
  const [page, control] = await visitor(browser);
  await control.click();
  await expect(control).toHaveAttribute('data-command', 'failed', { timeout: 30_000 });
  await expect(control).toHaveAttribute('aria-checked', 'false');
  await expect(page.locator('#live-alert')).toContainText('Lamp: not confirmed');
  answer = undefined;
  await tileOf(page, 'lamp').getByRole('button', { name: 'Retry Lamp' }).click();
  await expect(control).toHaveAttribute('data-command', 'pending');
  await expect.poll(() => answer).toBeDefined();
  await answer!();
  await expect(control).toHaveAttribute('aria-checked', 'true');
});
