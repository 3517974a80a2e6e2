import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';

import { SCREENS } from '../browser.mjs';
import { expect, freshDevice, openLive, report, test } from './fixtures.js';

/** Two units, a state, a limit with an alarm. */
const SERIES = '/history?e=greenhouse-1.air-temperature&e=greenhouse-1.humidity&e=soil-bed-b.moisture&e=misting-valve.switch';
const DAY_MS = 86_400_000;

for (const javaScriptEnabled of [false, true]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('an address carries the whole view', async ({ page }) => {
      await page.goto(`${SERIES}&range=24h&compare=1&band=0`);
      await expect(page.locator('.legend li')).toHaveText(['Air temperature', 'Humidity', 'Soil, bed B', 'Misting valve', 'Day before']);
      await expect(page.locator('.chart-svg:not([data-size])')).toHaveCount(2);
      await expect(page.locator('.series-prev[d]')).not.toHaveCount(0);
      await expect(page.locator('.plot .band')).toHaveCount(0);
      await expect(page.locator('.lane-on').first()).toBeVisible();
      await expect(page.locator('.limit-text')).toContainText(['Critical above 34', 'Warning below 20']);
      await expect(page.locator('table').first().locator('th[scope=col]')).toHaveText([
        'Series', 'Min', 'Mean', 'Max', 'Last', 'Change to day before', 'Time beyond limit', 'Coverage',
      ]);
      for (const name of ['Compare with day before', 'Live']) {
        await expect(page.getByRole('link', { name })).toHaveAttribute('aria-current', 'true');
      }
      await expect(page.getByRole('link', { name: /^Band/ })).not.toHaveAttribute('aria-current');
      expect(await page.locator('input[name=e]:checked').count()).toBe(4);
    });

    test('ranges are chosen by length, by step and by two times', async ({ page }) => {
      await page.goto(`${SERIES}&range=24h`);
      const period = page.locator('#period');
      await page.getByRole('link', { name: 'One day back' }).click();
      await expect(page).toHaveURL(/range=24h&to=\d+/);
      await expect(page.getByRole('link', { name: 'Live', exact: true })).not.toHaveAttribute('aria-current');
      await page.getByRole('link', { name: 'One day forward' }).click();
      await expect(page).not.toHaveURL(/to=/);
      await page.getByRole('link', { name: '7 d', exact: true }).click();
      await expect(page.getByRole('link', { name: '7 d', exact: true })).toHaveAttribute('aria-current', 'true');

      const day = new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10);
      await page.getByText('Custom', { exact: true }).click();
      await page.getByLabel('From', { exact: true }).fill(`${day}T06:00`);
      await page.getByLabel('To', { exact: true }).fill(`${day}T09:30`);
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await expect(period).toContainText(/ 06:00 to .* 09:30/);
      await page.getByRole('link', { name: 'One period back' }).click();
      await expect(period).toContainText(/ 02:30 to .* 06:00/);
      await expect(page.locator('.legend li')).toHaveCount(4);
    });

    test('a part of the list is found by name', async ({ page }) => {
      await page.goto(`${SERIES}&range=1h${javaScriptEnabled ? '' : '&q=vibr'}`);
      if (javaScriptEnabled) {
        await expect(page.locator('html[data-live]')).toBeAttached();
        await page.getByLabel('Filter series').fill('VIBR');
      }
      await expect(page.locator('.picker .check:visible')).toHaveText([/Vibration/]);
      await expect(page.locator('.picker-group:visible')).toHaveCount(1);
      // What is chosen stays chosen, seen or not.
      expect(await page.locator('input[name=e]:checked').count()).toBe(4);
    });

    test('a meter stands there by what it counted, or by what it shows', async ({ page }) => {
      await page.goto('/history?e=house-energy.energy_today&range=24h');
      await expect(page.locator('.plot .bars[d^=M]')).toHaveCount(1);
      await expect(page.locator('td[data-label=Change]')).toHaveText(/^\+[\d.]+\s*kWh\s*sum$/);
      await expect(page.locator('td[data-label=Mean]')).toContainText('per 30 min');
      const toggle = page.getByRole('link', { name: 'Meter reading' });
      await expect(toggle).not.toHaveAttribute('aria-current');
      await toggle.click();
      await expect(page).toHaveURL(/meter=1/);
      await expect(page.locator('.plot .bars')).toHaveCount(0);
      await expect(page.locator('.plot .series[d^=M]')).not.toHaveCount(0);
      await expect(page.getByRole('link', { name: 'Meter reading' })).toHaveAttribute('aria-current', 'true');
    });

    test('words stand in a lane, with their shares and their changes', async ({ page, devices }) => {
      const device = freshDevice('mode');
      const start = Date.now() - 600_000;
      const said = [[0, 'Idle'], [240_000, 'Running'], [420_000, 'Fault'], [480_000, 'Idle']] as const;
      for (const [after, value] of said) {
        await devices.publishAsync(`sensors/${device}/mode`, JSON.stringify({ value, ts: start + after }), { qos: 1 });
      }
      const path = `/history?e=${device}.mode&from=${start}&to=${start + 600_000}`;
      const lane = page.locator('.chart-svg[data-size=lane]');
      await expect(async () => {
        await page.goto(path);
        await expect(lane.locator('g title')).toHaveText([/^Idle, .* to /, /^Running, .* to /, /^Fault, .* to /, /^Idle, since /], { timeout: 1_000 });
      }).toPass();
      await expect(lane.locator('.lane-word')).toHaveText(['Idle', 'Running', 'Fault', 'Idle']);
      // The same word looks the same, another one does not.
      const looks = await lane.locator('g[class]:has(> .lane-on)').evaluateAll((all) => all.map((one) => one.className.baseVal + one.querySelector('.lane-mark')?.getAttribute('class')));
      expect(looks[0]).toBe(looks[3]);
      expect(new Set(looks).size).toBe(3);
      await expect(page.locator('.shares li')).toHaveText([/^Idle 60 % ?6 min$/, /^Running 30 % ?3 min$/, /^Fault 10 % ?60 s$/]);
      await expect(page.locator('td[data-label=Change]')).toHaveText(/^4 ?changes$/);
      await expect(page.locator('td[data-label=Last]')).toHaveText('Idle');
      await expect(page.locator('.picker .check:has(input:checked) .end')).toHaveText('words');
    });

    test('the chart can be taken along as a table, for just what is shown', async ({ page }) => {
      await page.goto(`${SERIES}&from=1781265806000&to=1781269406000`);
      await page.getByText('Export', { exact: true }).click();
      const link = page.getByRole('link', { name: 'CSV, visible points' });
      await expect(link).toHaveAttribute(
        'href',
        '/api/v1/history.csv?entities=greenhouse-1.air-temperature,greenhouse-1.humidity,soil-bed-b.moisture,misting-valve.switch' +
          '&from=1781265806000&to=1781269406000&points=500',
      );
      await expect(page.getByRole('link', { name: 'CSV, every reading' })).toBeVisible();
      await expect(page.getByRole('button', { name: 'PNG' })).toHaveCount(javaScriptEnabled ? 1 : 0);
    });

    test('a reading is taken out of history after a question, and taken back', async ({ page, devices, request }) => {
      const device = freshDevice('spike');
      for (const value of ['20.1', '88.8', '20.3']) await report(devices, device, 'temperature', value);
      const stored = async () => {
        const answer = await request.get(`/api/v1/history?entities=${device}.temperature`);
        return answer.ok() ? (await answer.json()).series[0].t.length : 0;
      };
      await expect.poll(stored).toBe(3);

      const path = `/history?e=${device}.temperature&range=15m`;
      await page.goto(path);
      const largest = page.locator('td[data-label=Max]');
      const readings = page.getByRole('region', { name: 'Readings', exact: true });
      await expect(largest).toContainText('88.8');
      await page.getByText('Show readings').click();
      await readings.locator('tr', { hasText: '88.8' }).getByRole('link', { name: /^Exclude \d\d:\d\d:\d\d of / }).click();

      const question = page.locator('#exclude');
      await expect(question).toContainText(/^Take 88\.8.* out of history\?/);
      await expect(question.getByRole('link', { name: 'Cancel' })).toHaveAttribute('href', path);
      await question.getByRole('button', { name: 'Exclude reading' }).click();
      const excluded = page.getByRole('region', { name: 'Excluded readings' });
      await expect(excluded.locator('tbody tr')).toHaveText([/88\.8/]);
      await expect(largest).toContainText('20.3');
      await page.getByText('Show readings').click();
      await expect(readings.locator('tbody tr')).toHaveCount(2);

      await excluded.getByRole('button', { name: /^Include .* again$/ }).click();
      await expect(excluded).toHaveCount(0);
      await expect(largest).toContainText('88.8');
    });
  });
}

/** Opens a chart that can be moved. */
async function openChart(page: Page, options = '&range=24h') {
  await openLive(page, SERIES + options);
  const cursor = page.getByRole('slider', { name: /Point in time/ });
  await expect(cursor).toBeVisible();
  const box = (await page.locator('.chart-svg').first().boundingBox())!;
  return { cursor, box, at: (share: number) => [box.x + share * box.width, box.y + box.height / 2] as const };
}

/** Start and end in the address, once the view has settled there. */
async function range(page: Page) {
  await expect(page).toHaveURL(/from=\d+&to=\d+/);
  const query = new URL(page.url()).searchParams;
  return { from: Number(query.get('from')), to: Number(query.get('to')) };
}

const hours = ({ from, to }: { from: number; to: number }) => (to - from) / 3_600_000;

test('dragging zooms in, and Back undoes it', async ({ page }) => {
  const { at } = await openChart(page);
  const end = Date.now();
  await page.mouse.move(...at(0.25));
  await page.mouse.down();
  await page.mouse.move(...at(0.5), { steps: 4 });
  await expect(page.locator('.chart-selection').first()).toBeVisible();
  await page.mouse.up();
  const zoomed = await range(page);
  expect(hours(zoomed)).toBeCloseTo(6, 1);
  expect((end - zoomed.to) / DAY_MS).toBeCloseTo(0.5, 1);
  await expect(page.locator('.chart-selection')).toHaveCount(0);
  await page.goBack();
  await expect(page.getByRole('link', { name: '24 h', exact: true })).toHaveAttribute('aria-current', 'true');
  await expect(page.locator('svg.plot').first()).toHaveAttribute('viewBox', /^-?\d(\.\d+)? 0 (999\.\d+|1000(\.\d+)?) 100$/);
});

test('the wheel zooms where the pointer is, moves with Shift, and a double press zooms out', async ({ page }) => {
  const { at } = await openChart(page);
  await page.mouse.move(...at(0.5));
  await page.mouse.wheel(0, -350);
  const near = await range(page);
  expect(hours(near)).toBeGreaterThan(9);
  expect(hours(near)).toBeLessThan(15);
  const middle = (near.from + near.to) / 2;
  expect(Math.abs(Date.now() - DAY_MS / 2 - middle)).toBeLessThan(DAY_MS / 20);

  await page.keyboard.down('Shift');
  await page.mouse.wheel(0, -500);
  await page.keyboard.up('Shift');
  await expect.poll(async () => (await range(page)).to).toBeLessThan(near.to);
  const earlier = await range(page);
  expect(hours(earlier)).toBeCloseTo(hours(near), 1);

  await page.mouse.dblclick(...at(0.5));
  await expect.poll(async () => hours(await range(page))).toBeGreaterThan(1.9 * hours(near));
});

test('while the wheel turns, the drawn lines are stretched, and drawn anew when it rests', async ({ page }) => {
  await openChart(page, `&from=${Date.now() - 2 * DAY_MS}&to=${Date.now() - DAY_MS}`);
  const seen = await page.evaluateHandle(() => {
    const seen: string[] = [];
    const line = document.querySelector<SVGSVGElement>('svg.plot')!;
    new MutationObserver((all) => seen.push(...all.map(({ attributeName }) => `${attributeName}: ${line.style.transform || line.getAttribute('viewBox')}`)))
      .observe(line, { attributes: true });
    const layer = document.querySelector('.chart-cursor')!;
    const box = layer.getBoundingClientRect();
    const where = { clientX: box.left + box.width / 2, clientY: box.top + 50, bubbles: true, cancelable: true };
    layer.dispatchEvent(new WheelEvent('wheel', { deltaY: -90, ...where }));
    return seen;
  });
  // The address has a range from the beginning: what stands there is the old one for a moment.
  await expect.poll(async () => hours(await range(page))).toBeCloseTo(24 * Math.exp(-90 / 500), 1);
  const line = page.locator('svg.plot').first();
  await expect(line).toHaveAttribute('viewBox', '0 0 1000 100');
  await expect(line).toHaveJSProperty('style.transform', '');
  const all = await seen.jsonValue();
  expect(all[0]).toMatch(/^style: translateX\(-\d+\.\d+cqw\) scaleX\(.*1\.19/);
  // For just what is shown, before the answer with other data comes.
  expect(all.some((one) => /^viewBox: 8\d\.\d+ 0 83\d\.\d+ 100$/.test(one))).toBe(true);
});

test('of several turns of the wheel within one frame each counts', async ({ page }) => {
  await openChart(page);
  await page.locator('.chart-cursor').evaluate((layer) => {
    const box = layer.getBoundingClientRect();
    const where = { clientX: box.left + box.width / 2, clientY: box.top + 50, bubbles: true, cancelable: true };
    for (let n = 0; n < 4; n += 1) layer.dispatchEvent(new WheelEvent('wheel', { deltaY: -175, ...where }));
  });
  expect(hours(await range(page))).toBeCloseTo(24 * Math.exp((-4 * 175) / 500), 1);
});

test('Shift and a drag move what is shown', async ({ page }) => {
  const { at } = await openChart(page, `&from=${Date.now() - DAY_MS}&to=${Date.now() - DAY_MS / 2}`);
  const before = await range(page);
  await page.keyboard.down('Shift');
  await page.mouse.move(...at(0.3));
  await page.mouse.down();
  await page.mouse.move(...at(0.55), { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await expect.poll(async () => (await range(page)).from).toBeLessThan(before.from);
  const after = await range(page);
  expect((before.from - after.from) / (before.to - before.from)).toBeCloseTo(0.25, 1);
  expect(after.to - after.from).toBe(before.to - before.from);
});

test('the keys step through the points, zoom and move', async ({ page }) => {
  // A range that stands still: there the points do too.
  const { cursor } = await openChart(page, `&from=${Date.now() - 2 * DAY_MS}&to=${Date.now() - DAY_MS}`);
  await cursor.focus();
  await page.keyboard.press('End');
  const last = await cursor.getAttribute('aria-valuetext');
  expect(last).toMatch(/\d\d:\d\d: Air temperature [\d.]+\s°C, Humidity [\d.]+\s%, Soil, bed B .*, Misting valve (On|Off|Open|Closed)$/);
  const row = Number(await cursor.getAttribute('aria-valuenow'));
  await page.keyboard.press('ArrowLeft');
  await expect(cursor).toHaveAttribute('aria-valuenow', String(row - 1));
  await expect(page.locator('.tip').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('.tip')).toHaveCount(0);

  await page.keyboard.press('+');
  await expect.poll(async () => hours(await range(page))).toBeCloseTo(12, 1);
  // The focus stays where it was while other data came.
  await expect(cursor).toBeFocused();
  const before = await range(page);
  await page.keyboard.press('Shift+ArrowLeft');
  await expect.poll(async () => (await range(page)).from).toBeLessThan(before.from);
});

test('a pointer that moves over a chart changes none of its drawings', async ({ page }) => {
  const { cursor, at } = await openChart(page, `&from=${Date.now() - 2 * DAY_MS}&to=${Date.now() - DAY_MS}`);
  await page.mouse.move(...at(0.3));
  const tip = page.locator('.tip').first();
  await expect(tip).toBeVisible();
  const [before, place] = [await cursor.getAttribute('aria-valuetext'), await tip.boundingBox()];
  const changes = await page.evaluateHandle(() => {
    const seen: string[] = [];
    const watch = new MutationObserver((all) => seen.push(...all.map(({ type, target }) => `${type} of ${target.nodeName}`)));
    for (const drawing of document.querySelectorAll('.chart-svg[role=img]')) {
      watch.observe(drawing, { attributes: true, characterData: true, childList: true, subtree: true });
    }
    return seen;
  });
  await page.mouse.move(...at(0.4), { steps: 5 });
  await expect(cursor).not.toHaveAttribute('aria-valuetext', before!);
  await expect.poll(async () => (await tip.boundingBox())!.x).toBeGreaterThan(place!.x);
  expect(await changes.jsonValue()).toEqual([]);
});

test('the overview under the chart is moved by its window, its handles and keys', async ({ page }) => {
  await openChart(page);
  const brush = page.locator('.brush');
  await brush.scrollIntoViewIfNeeded();
  const box = (await brush.boundingBox())!;
  const middle = box.y + box.height / 2;
  // 24 hours of 7 days: the window is the last seventh.
  await page.mouse.move(box.x + box.width * 0.93, middle);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.43, middle, { steps: 5 });
  await page.mouse.up();
  const moved = await range(page);
  expect(hours(moved)).toBeCloseTo(24, 1);
  expect((Date.now() - moved.to) / DAY_MS).toBeCloseTo(3.5, 0);

  const start = page.getByRole('slider', { name: 'Start of period' });
  const words = await start.getAttribute('aria-valuetext');
  await start.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(start).not.toHaveAttribute('aria-valuetext', words!);
  await expect.poll(async () => (await range(page)).from).toBeLessThan(moved.from);
  expect((await range(page)).to).toBe(moved.to);
});

test.describe('by touch', () => {
  test.use({ viewport: SCREENS.phone, hasTouch: true });

  test('a finger reads values, two fingers zoom', async ({ page }) => {
    const { box } = await openChart(page);
    const session = await page.context().newCDPSession(page);
    const y = box.y + box.height / 2;
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...shares: number[]) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: shares.map((share, id) => ({ x: box.x + share * box.width, y, id })) });

    await touch('touchStart', 0.5);
    await touch('touchMove', 0.55);
    await touch('touchEnd');
    await expect(page.locator('.readout')).toContainText(/\d\d:\d\d .*Air temperature [\d.]+\s°C/);

    await touch('touchStart', 0.4, 0.6);
    await touch('touchMove', 0.35, 0.65);
    await touch('touchMove', 0.2, 0.8);
    await touch('touchEnd');
    expect(hours(await range(page))).toBeCloseTo(8, 0);
  });
});

test('new values go on at the end of the line, and nothing jumps', async ({ page, devices }) => {
  const device = freshDevice('chart');
  for (const value of ['20.1', '30.2', '24.3', '25.4']) await report(devices, device, 'temperature', value);
  await openLive(page, '/');
  await expect(page.locator(`a[href="/devices/${device}"]`).first()).toBeVisible();
  await openLive(page, `/history?e=${device}.temperature&range=15m`);
  await expect(page.getByRole('slider', { name: /Point in time/ })).toBeVisible();
  const ticks = page.locator('.chart-svg:not([data-size]) > g > .axis-text');
  const axis = await ticks.allTextContents();
  const chart = await page.locator('.chart-svg').first().elementHandle();
  const cell = page.locator('td[data-label=Last]');
  for (const value of ['26.1', '26.2', '26.3']) {
    await report(devices, device, 'temperature', value);
    await expect(cell).toHaveText(value);
    await expect(page.locator('.end-text').first()).toHaveText(value);
  }
  expect(await ticks.allTextContents()).toEqual(axis);
  expect(await chart!.evaluate((svg) => svg.isConnected)).toBe(true);
  // Beyond the axis there is a new one.
  await report(devices, device, 'temperature', '61.5');
  await expect(cell).toHaveText('61.5');
  await expect.poll(() => ticks.allTextContents()).not.toEqual(axis);
});

test('new words go on at the end of their lane, and the crosshair says them', async ({ page, devices }) => {
  const device = freshDevice('mode');
  await report(devices, device, 'mode', 'Idle');
  await openLive(page, '/');
  await expect(page.locator(`a[href="/devices/${device}"]`).first()).toBeVisible();
  await openLive(page, `/history?e=${device}.mode&range=15m`);
  const cursor = page.getByRole('slider', { name: /Point in time/ });
  await expect(cursor).toBeVisible();
  const spans = page.locator('.chart-svg[data-size=lane] g title');
  const last = page.locator('td[data-label=Last]');
  for (const [n, word] of ['Running', 'Running', 'Fault "hot"'].entries()) {
    await report(devices, device, 'mode', word);
    await expect(last).toHaveText(word);
    await expect(spans).toHaveCount(n < 2 ? 2 : 3);
    await expect(page.locator('.chart-svg[data-size=lane] .end-text')).toHaveText(word);
  }
  await cursor.focus();
  await page.keyboard.press('End');
  await expect(cursor).toHaveAttribute('aria-valuetext', /: Mode Fault "hot"$/);
  await expect(page.locator('.tip-lane')).toHaveText('Fault "hot"');
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator('.tip-lane')).toHaveText('Running');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
});

test('a link to share stands still', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openChart(page);
  await page.getByRole('link', { name: 'Share link' }).click();
  await expect(page.locator('#live-status')).toHaveText('Link copied');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/^http:.*&range=24h&to=\d+$/);
});

test('the chart is saved as a picture', async ({ page }) => {
  await openChart(page);
  await page.getByText('Export', { exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'PNG' }).click()]);
  expect(download.suggestedFilename()).toMatch(/^signalbox-greenhouse-1\.air-temperature-\d+\.png$/);
  const png = await readFile(await download.path());
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.readUInt32BE(16)).toBe(2_400);
  // A picture without anything on it is far smaller.
  expect(png.length).toBeGreaterThan(40_000);
});

test('on paper there are chart, legend and figures, who printed it and when', async ({ page }) => {
  await openChart(page);
  await page.emulateMedia({ media: 'print' });
  for (const seen of ['.legend', '.chart-svg', 'table', '.print-foot']) await expect(page.locator(seen).first()).toBeVisible();
  await expect(page.locator('.print-foot')).toContainText(/Printed \w{3} \d+ \w{3} \d{4} \d\d:\d\d by anonymous/);
  for (const gone of ['.toolbar', '.picker', '.brush', '.chart-cursor', '.actions']) await expect(page.locator(gone).first()).toBeHidden();
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    test.describe(`${colorScheme} on a ${screen}`, () => {
      test.use({ colorScheme, viewport });

      test('everything that a chart can show has no serious barrier', async ({ page }) => {
        const { cursor } = await openChart(page, '&range=24h&compare=1');
        await cursor.focus();
        await page.keyboard.press('End');
        const { content, window } = await page.evaluate(() => ({
          content: document.documentElement.scrollWidth,
          window: document.documentElement.clientWidth,
        }));
        expect(content).toBeLessThanOrEqual(window);
        await page.getByText('Show readings').click();
        await openMenus(page.locator('details.menu > summary.button'));
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
      });
    });
  }
}

/** Opens menus, one after the other; only the last one stays open. */
async function openMenus(summaries: Locator) {
  for (const summary of await summaries.all()) await summary.click();
}
