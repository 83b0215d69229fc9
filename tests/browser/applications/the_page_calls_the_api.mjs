import assert from "node:assert/strict";

import { logInAtTheDashboard, ORDERS_URL, pass, session } from "../applications.mjs";
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

/** Waits until the page's access token is. */
async function over(page) {
  const { expiresAt } = await session(page);
  await page.waitForTimeout(Math.max(0, expiresAt - Date.now()));
}

scenario("the page gets a new token when its own is over", async ({ page }) => {
  await logInAtTheDashboard(page);
  const before = await session(page);
  await over(page);
  await page.click("#load");
  await page.waitForSelector("#orders li");
  const after = await session(page);
  assert.notEqual(after.accessToken, before.accessToken);
  assert.notEqual(after.refreshToken, before.refreshToken, "it rotates");
  const late = await fetch(ORDERS_URL, { headers: { Authorization: `Bearer ${before.accessToken}` } });
  assert.equal(late.status, 401);
});

scenario("two calls at once share one new token", async ({ page }) => {
  await logInAtTheDashboard(page);
  await over(page);
  let refreshes = 0;
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/oauth/token")) refreshes += 1;
  });
  const both = () => page.evaluate(async () => {
    // The page's own module, as it is loaded.
    const { call, orders } = await import("/session.js");
    const answers = await Promise.all([call("GET", orders), call("GET", orders)]);
    return answers.map((answer) => answer.status);
  });
  assert.deepEqual(await both(), [200, 200]);
  assert.equal(refreshes, 1);
  await over(page);
  assert.deepEqual(await both(), [200, 200], "and nobody takes it for stolen later");
  assert.equal(refreshes, 2);
});

scenario("a duplicated tab logs in by itself when the other has used its refresh token", async ({ page, context }) => {
  await logInAtTheDashboard(page);
  // A tab that is opened by another begins with a copy of what that one keeps.
  const opened = context.waitForEvent("page");
  await page.evaluate(() => { open("/"); });
  const copy = await opened;
  await copy.waitForSelector("#logout");
  assert.deepEqual(await session(copy), await session(page));
  await over(page);
  await page.click("#load");
  await page.waitForSelector("#orders li");
  await copy.click("#load");
  // At this address an application is a program on the person's own machine, about which he is asked each time.
  await copy.waitForSelector("#consent");
  await pass(copy, "#logout", null);
  await copy.click("#load");
  await copy.waitForSelector("#orders li");
  assert.notEqual((await session(copy)).refreshToken, (await session(page)).refreshToken, "each has its own now");
}, { expected: /status of 400/ });
