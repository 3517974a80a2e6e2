// A demo of its own: free ports, its own data folder, ended as a service manager would end it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The program under test: `SIGNALBOX_BIN`, else what `cargo build` made. */
const BINARY = process.env.SIGNALBOX_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/signalbox');

/**
 * Starts `signalbox demo` and waits for its `ready` line.
 * Returns its addresses as `http://HOST:PORT` and `mqtt://HOST:PORT`, its process and `stop()`, which ends it and answers its exit code.
 */
export async function startDemo({ timeout = 60_000, env = {} } = {}) {
  return start('demo', { timeout, env });
}

/**
 * Starts `signalbox serve` with a configuration of its own, an anonymous operator and the embedded broker: a plant in which nothing happens by itself.
 * @param {{ config?: string, timeout?: number, env?: Record<string, string> }} [options] `config` is the text of `signalbox.toml`.
 */
export async function startServer({ config = '', timeout = 60_000, env = {} } = {}) {
  return start('serve', { config, timeout, env: { SIGNALBOX_AUTH_ANONYMOUS: 'operator', SIGNALBOX_BROKER_EMBEDDED: 'on', ...env } });
}

async function start(command, { config, timeout, env }) {
  const data = await mkdtemp(join(tmpdir(), 'signalbox-e2e-'));
  if (config) await writeFile(join(data, 'signalbox.toml'), config);
  const child = spawn(BINARY, [command], {
    // Any folder but the checkout: the program must not need one.
    cwd: data,
    env: {
      ...process.env,
      SIGNALBOX_HTTP_LISTEN: '127.0.0.1:0',
      SIGNALBOX_BROKER_LISTEN: '127.0.0.1:0',
      SIGNALBOX_DATA_DIR: join(data, 'data'),
      // Set for the tests themselves; the program knows no such key.
      SIGNALBOX_BIN: undefined,
      SIGNALBOX_URL: undefined,
      SIGNALBOX_MQTT: undefined,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => (log = (log + chunk).slice(-20_000)));
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => resolve({ error }));
  });

  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const end = await ended;
    clearTimeout(late);
    await rm(data, { recursive: true, force: true });
    return { ...end, log };
  };

  const found = {};
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [word, what, address] = line.split(' ');
      if (word === 'listening') found[what] = address;
      if (word === 'ready') resolve('ready');
    });
  });
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, timeout, 'late')));
  const outcome = await Promise.race([ready, late, ended]);
  clearTimeout(timer);
  if (outcome !== 'ready' || !found.http || !found.mqtt) {
    await stop();
    throw new Error(`${BINARY} did not become ready: ${outcome.error ?? JSON.stringify(outcome)}\n${log}`);
  }
  return { http: `http://${found.http}`, mqtt: `mqtt://${found.mqtt}`, child, stop };
}
