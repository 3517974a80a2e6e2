import type { APIRequestContext } from '@playwright/test';

import { expect, openLive, test } from './fixtures.js';

const LIGHT = 'ceiling-light.light';

/** Switches a light over REST, as a program does, and answers with the row that the log has of it. */
async function switchLight(request: APIRequestContext, action: string) {
  const answer = await request.post(`/api/v1/entities/${LIGHT}/command`, { data: { action } });
  expect(answer.status()).toBe(202);
  const { id } = await answer.json();
  const row = async () => {
    const { items } = await (await request.get(`/api/v1/activity?entity=${LIGHT}&limit=5`)).json();
    return items.find((item: { detail: { command: string } }) => item.detail.command === id)?.what;
  };
  await expect.poll(row).toBe(action);
}

for (const javaScriptEnabled of [false, true]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('the log says who did what, day by day, and is narrowed by its form', async ({ page, request }) => {
      await switchLight(request, 'turn_on');
      const response = await page.goto('/activity');
      expect(response?.status()).toBe(200);
      await expect(page).toHaveTitle('Activity · Signalbox');
      await expect(page.getByRole('heading', { level: 2 }).first()).toHaveText(/^Today, /);
      const rows = page.locator('ol.log > li');
      await expect(rows.filter({ hasText: 'Server started' }).first()).toBeVisible();
      await expect(rows.filter({ hasText: 'turned on' }).first()).toContainText('anonymous');

      await page.getByRole('group', { name: 'Kind' }).getByRole('link', { name: 'System' }).click();
      await expect(page).toHaveURL(/kind=system/);
      await expect(rows.filter({ hasText: 'turned on' })).toHaveCount(0);
      await expect(rows.filter({ hasText: 'Server started' }).first()).toBeVisible();

      await page.getByRole('link', { name: 'All', exact: true }).click();
      await expect(page).toHaveURL(/\/activity$/);
      await page.getByLabel('Search activity').fill('zzz nothing');
      await page.getByLabel('Search activity').press('Enter');
      await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
      await expect(page).toHaveURL(/q=zzz/);
      await page.getByRole('link', { name: 'Show everything' }).click();
      await expect(rows.first()).toBeVisible();
    });

    test('a filter that makes no sense is told so, with a way back', async ({ page }) => {
      const response = await page.goto('/activity?kind=all');
      expect(response?.status()).toBe(400);
      await expect(page.locator('main')).toContainText('kind "all" is unknown');
    });
  });
}

test('entries that come in meanwhile wait behind a button', async ({ page, request }) => {
  await openLive(page, '/activity');
  const rows = page.locator('ol.log > li');
  await expect(rows.first()).toBeVisible();
  const before = await rows.allInnerTexts();
  await switchLight(request, 'turn_off');
  await switchLight(request, 'turn_on');
  const news = page.getByRole('button', { name: /new entr/ });
  await expect(news).toBeVisible({ timeout: 15_000 });
  expect(await rows.allInnerTexts()).toEqual(before);
  await news.click();
  await expect(news).toBeHidden();
  await expect.poll(() => rows.allInnerTexts()).not.toEqual(before);
});

test('a person is chosen without a button, and older entries have an address', async ({ page, request }) => {
  // More than a page of entries: each of them a name that is written and taken back.
  for (let n = 0; n < 26; n++) {
    for (const name of [`Lamp ${n}`, null]) {
      expect((await request.patch(`/api/v1/entities/${LIGHT}`, { data: { name } })).status()).toBe(200);
    }
  }
  await openLive(page, '/activity?kind=settings');
  const rows = page.locator('ol.log > li');
  await expect(rows).toHaveCount(50);
  await page.getByRole('link', { name: 'Older' }).click();
  await expect(page).toHaveURL(/cursor=/);
  await expect(rows).not.toHaveCount(50);
  await expect(page.getByRole('link', { name: 'Newest' })).toBeVisible();
  await page.goBack();
  await expect(rows).toHaveCount(50);

  await page.getByLabel('Person').selectOption('anonymous');
  await expect(page).toHaveURL(/kind=settings&who=anonymous/);
  await expect(rows).toHaveCount(50);
});

test('a name that is written is on an open page at once', async ({ page, request }) => {
  await openLive(page, '/');
  const tile = page.locator(`article[id="${LIGHT}"]`);
  const before = await tile.getByRole('heading').innerText();
  const write = async (data: object) => expect((await request.patch(`/api/v1/entities/${LIGHT}`, { data })).status()).toBe(200);
  await write({ name: 'Sun <b>' });
  await expect(tile.getByRole('heading')).toHaveText('Sun <b>');
  await write({ hidden: true });
  await expect(tile).toHaveCount(0);
  await write({ hidden: null, name: null, area: 'attic' });
  await expect(page.locator('section:has(h2:text-is("Attic"))').locator(tile)).toBeVisible();
  await request.patch('/api/v1/areas/attic', { data: { name: 'Loft' } });
  await expect(page.getByRole('heading', { name: 'Loft' })).toBeVisible();
  await write({ area: null });
  await expect(tile.getByRole('heading')).toHaveText(before);
});
