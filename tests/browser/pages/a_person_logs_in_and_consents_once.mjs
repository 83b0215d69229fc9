import assert from "node:assert/strict";

import { arrivedWithCode, authorize, begin, logIn, toConsent } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications, SHOP } from "../shop.mjs";

scenario("a person logs in, says yes once, and is asked no more", async ({ page }) => {
  await applications();
  await page.goto(authorize());
  assert.equal(await page.title(), "Sign in – Acme");
  assert.match(await page.textContent("#client"), /Acme Shop/);
  await logIn(page, "newcomer");
  await page.waitForSelector("#consent");
  assert.match(await page.textContent("#account"), /newcomer/);
  assert.equal(await page.locator("#scopes li").count(), 3);
  await page.click("#allow");
  await arrivedWithCode(page);
  await page.goto(authorize());
  await arrivedWithCode(page);
});

scenario("a person is told where the answer goes", async ({ page }) => {
  await toConsent(page, { redirect_uri: "https://shop.example/callback" });
  assert.match(await page.textContent("#return-to"), /shop\.example/);
});

scenario("one login is enough for the tenant's other applications", async ({ page }) => {
  await applications();
  await begin(page);
  const visited = [];
  page.on("framenavigated", (frame) => visited.push(new URL(frame.url()).origin));
  await page.goto(authorize({ client_id: "shop.news", scope: "openid" }));
  await arrivedWithCode(page);
  assert.deepEqual(visited, [SHOP], "no page of the provider was shown");
});
