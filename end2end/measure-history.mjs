// How smooth a full chart is: `npm run measure:history -- [SECONDS]`.
// Six series of 2,000 points are zoomed, moved, and grow by ten values a second each. For each of it:
// - the time that the page's main thread is busy in a frame, from the browser's own trace (the bar: below 16 ms at the 95th percentile);
// - what of it the processor worked, without the time that the thread stood still because others had the machine;
// - the time from frame to frame, beside that of an empty page in the same run, for machines are noisy.
// And how long the server takes to answer with the page, data in its HTML.
// With `--explain` it says what the slowest twentieth of the frames consist of, in milliseconds a frame, beside a frame in the middle.
import { chromium } from '@playwright/test';
import mqtt from 'mqtt';

import { SCREENS, firstFrame, launchOptions } from './browser.mjs';
import { startDemo } from './server.mjs';

const BAR_MS = 16;
const POINTS = 2_000;
const SPAN_MS = 3_500_000;
const SERIES = ['temperature', 'temperature', 'humidity', 'humidity', 'pressure', 'pressure'].map((measure, n) => ({ device: `measured-${n}`, measure }));
const explains = process.argv.includes('--explain');
const seconds = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 6);

const demo = await startDemo();
const browser = await chromium.launch(launchOptions);
const devices = await mqtt.connectAsync(demo.mqtt, { protocolVersion: 5 });
let failed = false;
try {
  await fill();
  const path = `/history?${SERIES.map(({ device, measure }) => `e=${device}.${measure}&`).join('')}range=1h&points=${POINTS}`;
  const context = await browser.newContext({ viewport: SCREENS.desk, baseURL: demo.http });
  const page = await context.newPage();
  await time('page with data in its HTML', path);

  await page.goto('about:blank');
  report('an empty page', await frames(page, () => page.waitForTimeout(2_000)), { isFloor: true });

  const live = firstFrame(page);
  await page.goto(path);
  await live;
  const cursor = page.getByRole('slider', { name: /Point in time/ });
  await cursor.waitFor();
  const points = await page.evaluate(() => [...document.querySelectorAll('.plot .series')].reduce((all, path) => all + path.getAttribute('d').split('L').length - 1, 0));
  console.log(`strokes drawn: ${points}`);
  const box = await page.locator('.chart-svg').first().boundingBox();
  const at = (share) => [box.x + share * box.width, box.y + box.height / 2];

  report('values arrive', await frames(page, () => publish(seconds * 1_000)));
  report('the crosshair moves', await frames(page, () => during(async (share) => page.mouse.move(...at(share)))));
  report('zoom by the wheel', await frames(page, () => during(async (share, n) => {
    if (n % 60 === 0) await page.mouse.move(...at(0.6));
    await page.mouse.wheel(0, n % 60 < 30 ? -30 : 30);
  })));
  await page.goto(path);
  await cursor.waitFor();
  await page.mouse.move(...at(0.5));
  await page.mouse.wheel(0, -300);
  await page.waitForURL(/from=/);
  await page.keyboard.down('Shift');
  await page.mouse.down();
  report('pan by a drag', await frames(page, () => during(async (share) => page.mouse.move(...at(share)))));
  await page.mouse.up();
  await page.keyboard.up('Shift');
} finally {
  await devices.endAsync();
  await browser.close();
  await demo.stop();
}
process.exit(failed ? 1 : 0);

/** Readings of the last hour, with times of their own, as devices send what they kept. */
async function fill() {
  const now = Date.now();
  for (const [n, { device, measure }] of SERIES.entries()) {
    const value = (row) => (20 + 10 * n + 5 * Math.sin(row / 90 + n) + Math.sin(row * 1.7) * 0.4).toFixed(2);
    const rows = Array.from({ length: POINTS }, (_, row) => ({ ts: Math.round(now - SPAN_MS + (row * SPAN_MS) / POINTS), value: Number(value(row)) }));
    for (let start = 0; start < rows.length; start += 250) {
      await devices.publishAsync(`sensors/${device}/${measure}`, JSON.stringify(rows.slice(start, start + 250)), { qos: 1 });
    }
  }
  const last = SERIES.at(-1);
  for (;;) {
    const answer = await fetch(`${demo.http}/api/v1/history?entities=${last.device}.${last.measure}&points=5000`);
    if ((await answer.json()).series[0].t.length >= POINTS) return;
    await new Promise((later) => setTimeout(later, 100));
  }
}

/** Ten values a second of each series. */
async function publish(ms) {
  const end = Date.now() + ms;
  for (let n = 0; Date.now() < end; n += 1) {
    const began = Date.now();
    await Promise.all(SERIES.map(({ device, measure }, k) => devices.publishAsync(`sensors/${device}/${measure}`, (20 + 10 * k + Math.sin(n / 9)).toFixed(2), { qos: 0 })));
    await new Promise((later) => setTimeout(later, Math.max(0, 100 - (Date.now() - began))));
  }
}

/** Moves back and forth, a step a frame, while values arrive. */
async function during(step) {
  const end = Date.now() + seconds * 1_000;
  const arriving = publish(seconds * 1_000);
  for (let n = 0; Date.now() < end; n += 1) {
    await step(0.5 + 0.35 * Math.sin(n / 25), n);
    await new Promise((later) => setTimeout(later, 12));
  }
  await arriving;
}

/** What each frame took while `act` ran: milliseconds of the main thread, and from frame to frame. */
async function frames(page, act) {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  await page.evaluate(() => {
    window.between = [];
    let before = performance.now();
    window.counting = true;
    const next = (now) => {
      window.between.push(now - before);
      before = now;
      if (window.counting) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  await act();
  const between = await page.evaluate(() => ((window.counting = false), window.between.slice(2)));
  const trace = JSON.parse((await browser.stopTracing()).toString());
  return { busy: busyTimes(trace.traceEvents), threads: threadTimes(trace.traceEvents), between };
}

/**
 * Of each frame the time in tasks of the main thread: those since the frame before, and the one that made it.
 * `wall` and `cpu` in milliseconds; `parts`: of it by what was done, what is within something counted there only.
 */
function busyTimes(events) {
  const fired = events.filter(({ name }) => name === 'FireAnimationFrame');
  const counts = new Map();
  for (const { pid, tid } of fired) counts.set(`${pid} ${tid}`, (counts.get(`${pid} ${tid}`) ?? 0) + 1);
  const thread = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  const all = events.filter(({ pid, tid, ph }) => `${pid} ${tid}` === thread && ph === 'X').sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const callbacks = all.filter(({ name }) => name === 'FireAnimationFrame').map(({ ts }) => ts);
  const busy = [];
  let [since, end, next] = [empty(), 0, 0];
  // What stands around an event, outermost first.
  const around = [];
  for (const event of all) {
    const { ts, dur = 0, tdur = 0, name } = event;
    while (around.length > 0 && around.at(-1).end <= ts) around.pop();
    const outer = around.at(-1)?.part;
    // The browser writes down each task twice, one in the other, by two names.
    if (/RunTask$/.test(name) && ts >= end) {
      const before = next;
      while (next < callbacks.length && callbacks[next] < end) next += 1;
      // A frame calls back whoever asked for it: us, and the page.
      if (next > before) {
        busy.push(since);
        since = empty();
      }
      end = ts + dur;
      since.wall += dur / 1_000;
      since.cpu += tdur / 1_000;
    } else if (outer) {
      outer.wall -= dur / 1_000;
      outer.cpu -= tdur / 1_000;
    }
    const part = (since.parts[name] ??= { wall: 0, cpu: 0 });
    part.wall += dur / 1_000;
    part.cpu += tdur / 1_000;
    around.push({ end: ts + dur, part });
  }
  // What came before the first frame is none of its time.
  return busy.slice(1);
}

/** How long each thread of the browser had the processor, in milliseconds. */
function threadTimes(events) {
  const names = new Map();
  for (const { ph, name, pid, tid, args } of events) {
    if (ph === 'M' && name === 'process_name') names.set(`${pid}`, args.name);
    if (ph === 'M' && name === 'thread_name') names.set(`${pid} ${tid}`, args.name);
  }
  const times = new Map();
  const ends = new Map();
  for (const { pid, tid, ts, dur = 0, tdur = 0 } of events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    const key = `${pid} ${tid}`;
    if (ts < (ends.get(key) ?? 0)) continue;
    ends.set(key, ts + dur);
    const name = `${names.get(`${pid}`)}, ${names.get(key)?.replace(/\d+$/, '')}`;
    times.set(name, (times.get(name) ?? 0) + tdur / 1_000);
  }
  return [...times].sort((a, b) => b[1] - a[1]);
}

function empty() {
  return { wall: 0, cpu: 0, parts: {} };
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function report(what, { busy, threads, between }, { isFloor = false } = {}) {
  const [wall, cpu] = ['wall', 'cpu'].map((clock) => [0.5, 0.95, 0.99].map((share) => percentile(busy.map((frame) => frame[clock]), share).toFixed(1)));
  const apart = [0.5, 0.95].map((share) => percentile(between, share).toFixed(1));
  const held = Number(wall[1]) < BAR_MS;
  if (!isFloor && !held) failed = true;
  const verdict = isFloor ? '' : held ? 'held' : `FAILED, the bar is ${BAR_MS}`;
  const said = (figures) => `median ${figures[0]}, p95 ${figures[1]}, p99 ${figures[2]}`;
  console.log(`${what.padEnd(28)} busy ms a frame: ${said(wall)}; of the processor: ${said(cpu)}; apart: median ${apart[0]}, p95 ${apart[1]}; ${busy.length} frames ${verdict}`);
  if (explains) explain(busy, threads);
}

/** What frames consist of: those in the middle, and the slowest twentieth; and what the browser's threads did meanwhile. */
function explain(busy, threads) {
  const sorted = [...busy].sort((a, b) => a.wall - b.wall);
  const of = (from, to) => sorted.slice(Math.floor(sorted.length * from), Math.max(Math.ceil(sorted.length * to), 1));
  const [middle, slow] = [of(0.4, 0.6), of(0.95, 1)];
  const mean = (frames, name, clock) => frames.reduce((sum, { parts }) => sum + (parts[name]?.[clock] ?? 0), 0) / frames.length;
  const names = [...new Set(slow.flatMap(({ parts }) => Object.keys(parts)))].sort((a, b) => mean(slow, b, 'wall') - mean(slow, a, 'wall'));
  for (const name of names.slice(0, 14)) {
    const figures = [slow, middle].map((frames) => `${mean(frames, name, 'wall').toFixed(1).padStart(6)} (${mean(frames, name, 'cpu').toFixed(1)} of the processor)`);
    console.log(`    ${name.padEnd(44)} slow ${figures[0]}, middle ${figures[1]}`);
  }
  console.log(`    of the processor, ms a frame: ${threads.slice(0, 7).map(([name, ms]) => `${name} ${(ms / busy.length).toFixed(1)}`).join('; ')}`);
}

/** How long the server takes to answer with a page. */
async function time(what, path) {
  const took = [];
  for (let n = 0; n < 7; n += 1) {
    const began = performance.now();
    const html = await (await fetch(demo.http + path)).text();
    took.push(performance.now() - began);
    if (!html.includes('class="series')) throw new Error(`no data in ${path}`);
  }
  console.log(`${what.padEnd(28)} median ${percentile(took, 0.5).toFixed(0)} ms, from ${Math.min(...took).toFixed(0)} to ${Math.max(...took).toFixed(0)} (the bar is 150)`);
}
