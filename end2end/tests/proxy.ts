import { type Server, type Socket, connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A line between browser and server that can be cut, and can fall silent. */
export class Line {
  readonly #target: URL;
  readonly #pairs = new Set<[Socket, Socket]>();
  #server: Server | undefined;
  #port = 0;
  #silent = false;

  private constructor(target: URL) {
    this.#target = target;
  }

  /** A line to `target`, an address `http://HOST:PORT`. */
  static async to(target: string): Promise<Line> {
    const line = new Line(new URL(target));
    await line.restore();
    return line;
  }

  /** Where the browser reaches the server through this line. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Breaks every connection and refuses new ones. */
  async cut() {
    const server = this.#server;
    this.#server = undefined;
    for (const pair of this.#pairs) pair.forEach((socket) => socket.destroy());
    this.#pairs.clear();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Takes connections again, at the same address. */
  async restore() {
    this.#silent = false;
    const server = createServer((browser) => this.#join(browser));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Keeps every connection open and lets nothing through, as when the server's machine vanished. */
  silence() {
    this.#silent = true;
    for (const pair of this.#pairs) this.#mute(pair);
  }

  #join(browser: Socket) {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair: [Socket, Socket] = [browser, server];
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, browser]]) {
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      from.pipe(to);
    }
    if (this.#silent) this.#mute(pair);
  }

  #mute([browser, server]: [Socket, Socket]) {
    for (const socket of [browser, server]) socket.unpipe().pause();
  }
}
