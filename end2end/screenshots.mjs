// Pictures of the pages: `npm run screenshots -- [FOLDER] [URL]`. Without an address it starts a demo of its own.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium } from '@playwright/test';

import { SCREENS, firstFrame, launchOptions } from './browser.mjs';
import { startDemo } from './server.mjs';

const [folder = 'screenshots', url] = process.argv.slice(2);
const demo = url ? undefined : await startDemo();
const base = url ?? demo.http;
await mkdir(folder, { recursive: true });
const browser = await chromium.launch(launchOptions);
try {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', baseURL: base });
      const page = await context.newPage();
      await page.goto('/');
      const device = await page.locator('article.tile h3 a[href^="/devices/"]').first().getAttribute('href');
      for (const [name, path] of Object.entries({ overview: '/', devices: '/devices', device, history: '/history', activity: '/activity', 'not-found': '/nonsense' })) {
        await Promise.all([firstFrame(page), page.goto(path)]);
        const file = join(folder, `${name}-${screen}-${colorScheme}.png`);
        await page.screenshot({ path: file });
        console.log(file);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await demo?.stop();
}
