import { AxeBuilder } from '@axe-core/playwright';

import { SCREENS } from '../browser.mjs';
import { expect, openLive, test } from './fixtures.js';

const PAGES = ['/', '/devices', '/devices/…', '/history', '/activity', '/scenes', '/nonsense'];

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    test.describe(`${colorScheme} on a ${screen}`, () => {
      test.use({ colorScheme, viewport });

      for (const path of PAGES) {
        test(`${path} has no serious barrier and scrolls in one direction only`, async ({ page }) => {
          if (path === '/devices/…') {
            await page.goto('/');
            await openLive(page, (await page.locator('article.tile h3 a[href^="/devices/"]').first().getAttribute('href'))!);
          } else {
            await openLive(page, path);
          }
          const { content, window } = await page.evaluate(() => ({
            content: document.documentElement.scrollWidth,
            window: document.documentElement.clientWidth,
          }));
          expect(content).toBeLessThanOrEqual(window);

          const { violations } = await new AxeBuilder({ page }).analyze();
          const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
        });
      }
    });
  }
}
