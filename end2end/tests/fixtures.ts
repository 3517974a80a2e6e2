import { type Page, type WebSocket, test as base, expect } from '@playwright/test';
import mqtt, { type MqttClient } from 'mqtt';

import { firstFrame } from '../browser.mjs';

export { expect };

/** A test with the demo's address and, when it asks for `devices`, a client that speaks MQTT as any device does. */
export const test = base.extend<{ devices: MqttClient }>({
  baseURL: async ({}, use) => use(process.env.SIGNALBOX_URL),
  devices: async ({}, use) => {
    const client = await mqtt.connectAsync(process.env.SIGNALBOX_MQTT!, { protocolVersion: 5 });
    await use(client);
    await client.endAsync();
  },
});

/** Publishes a reading as `wire.md` has it: `sensors/<device>/<measure>`, text, QoS 1, retained. */
export async function report(devices: MqttClient, device: string, measure: string, value: string) {
  await devices.publishAsync(`sensors/${device}/${measure}`, value, { qos: 1, retain: true });
}

/** A device name that no other test uses. */
export function freshDevice(what: string): string {
  return `e2e-${what}-${process.hrtime.bigint().toString(36)}`;
}

/** The tile of a device's only entity: the one whose heading leads to its page. */
export function tileOf(page: Page, device: string) {
  return page.locator(`article.tile:has(h3 a[href="/devices/${device}"])`);
}

/** Opens a page and waits until it is alive: the first frame of `/live` has arrived. */
export async function openLive(page: Page, path: string, options?: Parameters<Page['goto']>[1]): Promise<WebSocket> {
  const [socket] = await Promise.all([firstFrame(page), page.goto(path, options)]);
  return socket;
}

/** Values with their unit as the page's text has them: `21.4 °C`. */
export const VALUE_WITH_UNIT = /[-−]?\d[\d, ]*(\.\d{1,3})?.{0,24}?(°C|%|W|kWh|V|ppm|lx|hPa|bar|L\/min|km\/h|rpm)(?!\w)/su;
