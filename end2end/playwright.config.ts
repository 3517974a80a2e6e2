import { defineConfig } from '@playwright/test';

import { SCREENS, launchOptions } from './browser.mjs';

export default defineConfig({
  testDir: 'tests',
  globalSetup: './global-setup.ts',
  // One after the other: they share a server, and some of them measure.
  workers: 1,
  retries: 0,
  timeout: 30_000,
  expect: { timeout: 5_000 },
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
