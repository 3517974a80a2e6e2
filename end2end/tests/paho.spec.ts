import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, freshDevice, openLive, test, tileOf } from './fixtures.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PYTHON = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'paho-venv/bin/python');

test('a device written with paho is a tile, and offline once it is killed', async ({ page }) => {
  const device = freshDevice('paho');
  await openLive(page, '/');
  const sensor = start(device);
  try {
    await once(sensor.stdout!, 'data');
    const published = Date.now();
    const tile = tileOf(page, device);
    await expect(tile).toContainText('21.3');
    await expect(tile).toContainText('°C');
    await expect(tile).toHaveAttribute('data-quality', 'fresh');
    console.log(`a tile ${Date.now() - published} ms after the device knew that its reading was taken`);

    sensor.kill('SIGKILL');
    const killed = Date.now();
    await expect(tile).toHaveAttribute('data-quality', 'offline');
    await expect(tile).toContainText(/offline/i);
    console.log(`offline ${Date.now() - killed} ms after it was killed`);
  } finally {
    sensor.kill('SIGKILL');
  }
});

function start(device: string): ChildProcess {
  const { hostname, port } = new URL(process.env.SIGNALBOX_MQTT!);
  return spawn(PYTHON, [join(ROOT, 'end2end/paho/temp_sensor.py'), hostname, port, device], { stdio: ['ignore', 'pipe', 'inherit'] });
}
