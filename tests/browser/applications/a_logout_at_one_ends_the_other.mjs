import assert from "node:assert/strict";

import { DASHBOARD_URL, logInAtTheDashboard, logInAtTheShop, session, SHOP_URL } from "../applications.mjs";
import { scenario } from "../scenario.mjs";

scenario("logging out of the web application logs the page out, by a frame", async ({ page, context }) => {
  await logInAtTheShop(page);
  const dashboard = await context.newPage();
  await logInAtTheDashboard(dashboard, null);
  await page.click("#logout");
  await page.waitForURL((url) => url.origin === SHOP_URL);
  await page.waitForSelector("#login");
  await dashboard.waitForSelector("#login");
  assert.equal(await session(dashboard), null);
  await dashboard.click("#login");
  await dashboard.waitForSelector("#login form");
});

scenario("logging out of the page logs the web application out, server to server", async ({ page, context }) => {
  await logInAtTheDashboard(page);
  const shop = await context.newPage();
  await logInAtTheShop(shop, null);
  await page.click("#logout");
  await page.waitForURL((url) => url.origin === DASHBOARD_URL);
  await page.waitForSelector("#login");
  // It is told behind the person's back, within a moment.
  for (let tries = 0; !(await shop.isVisible("#login")); tries += 1) {
    if (tries > 50) throw new Error("the web application still knows who it was");
    await shop.waitForTimeout(100);
    await shop.reload();
  }
});

scenario("one person's logout is nobody else's", async ({ page, context }) => {
  await logInAtTheShop(page, "ada");
  const other = await context.browser().newContext();
  try {
    const grace = await other.newPage();
    await logInAtTheShop(grace, "grace");
    await page.click("#logout");
    await page.waitForSelector("#login");
    await grace.reload();
    assert.equal(await grace.textContent("#name"), "Grace Hopper");
  } finally {
    await other.close();
  }
});

scenario("a logout token that nobody signed ends nothing", async ({ page }) => {
  await logInAtTheShop(page);
  const body = new URLSearchParams({ logout_token: "eyJhbGciOiJub25lIn0.e30." });
  const answer = await fetch(`${SHOP_URL}/backchannel-logout`, { method: "POST", body });
  assert.equal(answer.status, 400);
  await page.reload();
  assert.equal(await page.textContent("#name"), "Ada Lovelace");
});
