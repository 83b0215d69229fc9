import assert from "node:assert/strict";

import { logInAtTheDashboard, ORDERS_URL, session } from "../applications.mjs";
import { scenario } from "../scenario.mjs";

scenario("the page reads what its token allows, and is told what it does not allow", async ({ page }) => {
  await logInAtTheDashboard(page);
  await page.click("#load");
  await page.waitForSelector("#orders li");
  assert.deepEqual(await page.locator("#orders li").allTextContents(), ["1001", "1002"]);
  await page.click("#add");
  await page.waitForSelector("#problem:not(:empty)");
  assert.equal(await page.textContent("#problem"), "insufficient_scope: orders:write");
}, { expected: /status of 403/ });

scenario("the page gets a new token when its own is over", async ({ page }) => {
  await logInAtTheDashboard(page);
  const before = await session(page);
  await page.waitForTimeout(Math.max(0, before.expiresAt - Date.now()));
  await page.click("#load");
  await page.waitForSelector("#orders li");
  const after = await session(page);
  assert.notEqual(after.accessToken, before.accessToken);
  assert.notEqual(after.refreshToken, before.refreshToken, "it rotates");
  const late = await fetch(ORDERS_URL, { headers: { Authorization: `Bearer ${before.accessToken}` } });
  assert.equal(late.status, 401);
});
