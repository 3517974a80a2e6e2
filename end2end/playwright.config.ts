import { defineConfig } from '@playwright/test';

import { SCREENS, launchOptions } from './browser.mjs';

export default defineConfig({
  testDir: 'tests',
  globalSetup: './global-setup.ts',
  // One after the other: they share a server, and some of them measure.
  workers: 1,
  retries: 0,
  timeout: 60_000,
  // Long enough for a busy machine: how quick the page is, measure.mjs and the bench tell.
  expect: { timeout: 15_000 },
  reporter: 'list',
  outputDir: 'test-results',
  use: {
    browserName: 'chromium',
    viewport: SCREENS.desk,
    launchOptions,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
});
