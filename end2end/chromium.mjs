// How Chromium is started: by the tests and by the scripts alike.
import { existsSync } from 'node:fs';

/** Options for Playwright's `chromium.launch`: the system's own browser, quiet, without a sandbox (containers have none). */
export const launchOptions = {
  executablePath: [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path)),
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
    '--disable-quic',
  ],
};

/** The two screens of the design. */
export const SCREENS = {
  desk: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
};
