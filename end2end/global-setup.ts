import { startDemo } from './server.mjs';

/** Starts one demo for all tests; ends it as a service manager would and holds it to its word: in time, with exit code 0. */
export default async function setup() {
  const demo = await startDemo();
  process.env.SIGNALBOX_URL = demo.http;
  process.env.SIGNALBOX_MQTT = demo.mqtt;
  return async () => {
    const began = Date.now();
    const { code, signal, log } = await demo.stop();
    const took = Date.now() - began;
    if (code !== 0) throw new Error(`after SIGTERM the demo ended with code ${code}, signal ${signal}\n${log}`);
    if (took > 10_000) throw new Error(`after SIGTERM the demo took ${took} ms to end`);
  };
}
