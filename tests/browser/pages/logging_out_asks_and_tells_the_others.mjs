import assert from "node:assert/strict";

import { arrivedWithCode, authorize, begin, endSession, issuer, logIn, redeem } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications, SHOP } from "../shop.mjs";

scenario("who says no stays signed in", async ({ page }) => {
  await applications();
  await begin(page);
  await page.goto(endSession());
  assert.match(await page.textContent("#account"), /ada/);
  await page.click("#no");
  await page.waitForSelector("#stayed");
  await page.goto(authorize({ prompt: "none" }));
  await arrivedWithCode(page);
});

scenario("who says yes is signed out, here and at the others, and goes where it was said", async ({ page }) => {
  const asked = await applications();
  await begin(page);
  await page.goto(authorize({ client_id: "shop.news", scope: "openid" }));
  await redeem(page, { client: "news" });
  await page.goto(endSession({ client_id: "shop.shop", post_logout_redirect_uri: `${SHOP}/bye`, state: "s" }));
  await page.click("#yes");
  await page.waitForURL(`${SHOP}/bye?state=s`);
  const told = new URL(asked.find((url) => url.startsWith(`${SHOP}/news/logged-out`)));
  assert.equal(told.searchParams.get("iss"), issuer());
  assert.match(told.searchParams.get("sid"), /^[0-9a-f]{32}$/);
  await page.goto(authorize({ prompt: "none" }));
  await page.waitForURL((url) => url.searchParams.get("error") === "login_required");
});

scenario("an application whose page never loads does not hold a person up", async ({ page }) => {
  await applications();
  await page.goto(authorize({ client_id: "shop.slow", scope: "openid" }));
  await logIn(page);
  await redeem(page, { client: "slow" });
  await page.goto(endSession({ client_id: "shop.shop", post_logout_redirect_uri: `${SHOP}/bye` }));
  const before = Date.now();
  await page.click("#yes");
  await page.waitForURL(`${SHOP}/bye`);
  assert.ok(Date.now() - before >= 2_900, "the page was given its three seconds");
});
