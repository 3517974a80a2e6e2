// What a press on a switch takes, in two pages of different visitors: `npm run measure:command -- [PRESSES]`, 20 when nothing is said.
// A light that echoes after 100 ms, and one that is silent. Pending must be shown within 50 ms; exit code 1 when it was not.
import { chromium } from '@playwright/test';
import mqtt from 'mqtt';

import { SCREENS, launchOptions } from './browser.mjs';
import { startServer } from './server.mjs';

const ECHO_MS = 100;
const MOST_PENDING_MS = 50;

const presses = Number(process.argv[2] ?? 20);
const server = await startServer();
const device = await mqtt.connectAsync(server.mqtt, { protocolVersion: 5 });
const browser = await chromium.launch(launchOptions);
let worst = 0;
try {
  for (const lamp of ['echo', 'silent']) await device.publishAsync(`state/lights/${lamp}`, 'off', { qos: 1, retain: true });
  device.on('message', (_, payload) => setTimeout(() => device.publish('state/lights/echo', payload, { qos: 1, retain: true }), ECHO_MS));
  await device.subscribeAsync('control/lights/echo', { qos: 1 });
  const [one, other] = [await open({ viewport: SCREENS.desk }), await open({ viewport: SCREENS.phone, hasTouch: true, isMobile: true })];
  for (const [how, page, press] of [
    ['mouse', one, (control) => control.click()],
    ['keyboard', one, (control) => control.press('Space')],
    ['touch', other, (control) => control.tap()],
  ]) {
    const times = { pending: [], confirmed: [], 'confirmed in the other page': [] };
    const watcher = page === one ? other : one;
    for (let n = 0; n < presses; n += 1) {
      const control = switchOf(page, 'echo');
      const wanted = (await control.getAttribute('aria-checked')) === 'true' ? 'false' : 'true';
      const [own, theirs] = [watch(page, 'echo', wanted), watch(watcher, 'echo', wanted)];
      await Promise.all([own.set, theirs.set]);
      await press(control);
      const [told, seen] = await Promise.all([own.times(), theirs.times()]);
      times.pending.push(told.pending - told.pressed);
      times.confirmed.push(told.checked - told.pressed);
      times['confirmed in the other page'].push(seen.checked - told.pressed);
      await control.and(page.locator(':not([data-command])')).waitFor();
    }
    for (const [what, all] of Object.entries(times)) print(`${how}: ${what}`, all);
    worst = Math.max(worst, ...times.pending);
  }
  const began = Date.now();
  await switchOf(one, 'silent').click();
  await one.locator('article[id="silent.light"]').getByRole('button', { name: /^Retry/ }).waitFor({ timeout: 40_000 });
  print('a silent device: failed, with Retry', [Date.now() - began]);
} finally {
  await browser.close();
  await device.endAsync(true);
  await server.stop();
}
if (worst > MOST_PENDING_MS) {
  console.log(`FAILED: pending was shown after ${worst.toFixed(1)} ms, at most ${MOST_PENDING_MS} are allowed`);
  process.exit(1);
}

/** A page of a visitor of its own, alive. */
async function open(options) {
  const page = await (await browser.newContext({ ...options, baseURL: server.http })).newPage();
  const alive = new Promise((resolve) => page.on('websocket', (socket) => socket.on('framereceived', resolve)));
  await page.goto('/');
  await alive;
  await page.waitForTimeout(1_000);
  return page;
}

function switchOf(page, lamp) {
  return page.locator(`article[id="${lamp}.light"]`).getByRole('switch');
}

/** When the switch was pressed, painted as pending, and painted as `wanted`, all by the clock that pages of one machine share. */
function watch(page, lamp, wanted) {
  const set = switchOf(page, lamp).evaluate((control, wanted) => {
    const now = () => performance.timeOrigin + performance.now();
    const times = (window.times = {});
    for (const event of ['pointerdown', 'keydown']) control.addEventListener(event, () => (times.pressed ??= now()), { once: true });
    const painted = (what) => requestAnimationFrame(() => setTimeout(() => (times[what] ??= now())));
    new MutationObserver((_, observer) => {
      if (control.dataset.command === 'pending') painted('pending');
      if (control.getAttribute('aria-checked') !== wanted) return;
      painted('checked');
      observer.disconnect();
    }).observe(control, { attributes: true });
  }, wanted);
  const times = () => page.waitForFunction(() => window.times.checked && window.times, undefined, { polling: 20 }).then((handle) => handle.jsonValue());
  return { set, times };
}

function print(what, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const [median, most] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  console.log(`${what.padEnd(44)} median ${median.toFixed(1)} ms, at most ${most.toFixed(1)} ms`);
}
