import { chromium } from '@playwright/test';
import { SCREENS, launchOptions, firstFrame } from './browser.mjs';
import { startDemo } from './server.mjs';
const demo = await startDemo();
const browser = await chromium.launch(launchOptions);
try {
  const devices = (await (await fetch(demo.http+'/api/v1/devices?limit=200')).json()).items;
  console.log(devices.map(d=>d.id).join(' '));
  const id = process.argv[2] ?? devices[0].id;
  for (const [screen, viewport] of Object.entries(SCREENS)) for (const colorScheme of ['light','dark']) {
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion:'reduce', baseURL: demo.http });
    const page = await context.newPage();
    page.on('console', m => console.log(screen, m.type(), m.text().slice(0,600)));
    page.on('pageerror', e => console.log('ERR', String(e).slice(0,800)));
    const frame = firstFrame(page).catch(e=>console.log(String(e)));
    await page.goto(`/devices/${id}`); await frame;
    await page.waitForTimeout(3000);
    await page.screenshot({path:`/tmp/b/one-${screen}-${colorScheme}.png`, fullPage:true});
    if (colorScheme==='light') for (const q of ['edit=merge','edit=remove',`why=`]) {
      const e = (await (await fetch(demo.http+'/api/v1/entities?limit=200')).json()).items.find(e=>e.device===id);
      await page.goto(`/devices/${id}?${q}${q==='why='?e.id:''}`); await page.waitForTimeout(1500);
      await page.screenshot({path:`/tmp/b/one-${screen}-${q.replace('=','-')}.png`});
    }
    await context.close();
  }
} finally { await browser.close(); await demo.stop(); }
