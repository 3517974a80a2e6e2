// The browser, for the tests and for the scripts alike.
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

/**
 * The next socket of a page to `/live`, once a frame came through it. To be called before the page opens it.
 * @param {import('@playwright/test').Page} page
 * @returns {Promise<import('@playwright/test').WebSocket>}
 */
export function firstFrame(page) {
  return new Promise((resolve, reject) => {
    const limit = 10_000;
    const late = setTimeout(() => reject(new Error(`no frame came through /live within ${limit} ms`)), limit);
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).pathname !== '/live') return;
      // Listened for at once: the frame may come in the same breath as the socket.
      socket.once('framereceived', () => {
        clearTimeout(late);
        resolve(socket);
      });
    });
  });
}
