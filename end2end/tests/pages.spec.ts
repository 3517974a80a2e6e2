import { VALUE_WITH_UNIT, expect, openLive, test } from './fixtures.js';

for (const javaScriptEnabled of [false, true]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('the overview shows the values of at least 12 entities with their units', async ({ page }) => {
      const response = await page.goto('/');
      expect(response?.status()).toBe(200);
      await expect(page).toHaveTitle(/Signalbox/);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      const tiles = await page.locator('article.tile').allInnerTexts();
      const values = tiles.filter((text) => text.match(VALUE_WITH_UNIT));
      expect(values.length, tiles.join('\n---\n')).toBeGreaterThanOrEqual(12);
    });

    test('every tile leads to a page of its device that shows a value', async ({ page }) => {
      await page.goto('/');
      const path = await page.locator('article.tile[data-kind=number][data-quality=fresh] h3 a[href^="/devices/"]').first().getAttribute('href');
      const response = await page.goto(path!);
      expect(response?.status()).toBe(200);
      await expect(page.getByRole('heading', { level: 1 })).not.toBeEmpty();
      await expect(page.locator('main')).toHaveText(VALUE_WITH_UNIT);
    });

    test('the history page draws a chart and says in words what it shows', async ({ page }) => {
      const response = await page.goto('/history');
      expect(response?.status()).toBe(200);
      const chart = page.locator('.drawing:has(svg.plot) > svg[role=img]').first();
      await expect(chart).toBeVisible();
      const lines = page.locator('svg.plot path[d]');
      expect(await lines.count()).toBeGreaterThan(0);
      // A week of generated history is more than a point or two.
      expect((await lines.first().getAttribute('d'))!.length).toBeGreaterThan(100);
    });

    test('an address that leads nowhere answers 404 with a way back', async ({ page }) => {
      const response = await page.goto('/nonsense');
      expect(response?.status()).toBe(404);
      await expect(page.locator('main')).toContainText(/not found/i);
      await expect(page.locator('main a[href="/"]').first()).toBeVisible();
    });
  });
}

test('the HTML that the server sends holds every value that the overview shows', async ({ page, request }) => {
  const html = await (await request.get('/')).text();
  const shown = html.match(/<article[^>]*class="tile"/g) ?? [];
  await openLive(page, '/');
  expect(shown.length).toBe(await page.locator('article.tile').count());
  expect(html).not.toMatch(/<article[^>]*aria-busy/);
});

test.describe('when the code of a page does not come', () => {
  const CODE = /split_history\.wasm/;

  test('a page that was asked for by a click says so and is there on the next try', async ({ page }) => {
    await openLive(page, '/');
    await page.route(CODE, (route) => route.abort());
    const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'History' });
    await link.click();
    await expect(page.getByRole('heading', { name: 'The page did not arrive' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Load again' })).toBeVisible();

    await page.unroute(CODE);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' }).click();
    await expect(page.locator('article.tile').first()).toBeVisible();
    await link.click();
    await expect(page.locator('svg.plot').first()).toBeVisible();
  });

  test('a page that the server drew stands, and goes live once it comes', async ({ page }) => {
    let refused = 0;
    await page.route(CODE, (route) => (refused++ === 0 ? route.abort() : route.continue()));
    await openLive(page, '/history');
    expect(refused).toBe(2);
    await expect(page.locator('svg.plot').first()).toBeVisible();
  });
});

test('going from page to page needs no reload', async ({ page }) => {
  await openLive(page, '/');
  await page.evaluate(() => Object.assign(window, { marker: true }));
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'History' }).click();
  await expect(page).toHaveURL(/\/history/);
  await expect(page.locator('svg.plot').first()).toBeVisible();
  expect(await page.evaluate(() => 'marker' in window)).toBe(true);
});
