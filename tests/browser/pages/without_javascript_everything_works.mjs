import assert from "node:assert/strict";

import { arrivedWithCode, authorize, endSession, logIn, redeem, toConsent } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications, SHOP } from "../shop.mjs";

const WITHOUT = { javaScriptEnabled: false };

scenario("logging in needs no script", async ({ page }) => {
  await applications();
  await toConsent(page);
  await page.click("#allow");
  await arrivedWithCode(page);
}, WITHOUT);

scenario("an answer by form has a button", async ({ page }) => {
  await applications();
  await toConsent(page, { response_mode: "form_post" });
  await page.click("#allow");
  const posted = page.waitForRequest((request) => request.method() === "POST" && request.url().startsWith(SHOP));
  await page.click("#form-post #continue");
  assert.match((await posted).postData(), /^code=.+&state=the\+state|state=the\+state/);
}, WITHOUT);

scenario("logging out needs no script", async ({ page }) => {
  const asked = await applications();
  await page.goto(authorize({ client_id: "shop.news", scope: "openid" }));
  await logIn(page);
  await redeem(page, { client: "news" });
  await page.goto(endSession({ client_id: "shop.shop", post_logout_redirect_uri: `${SHOP}/bye` }));
  await page.click("#yes");
  await page.waitForURL(`${SHOP}/bye`);
  assert.ok(asked.some((url) => url.startsWith(`${SHOP}/news/logged-out`)), "the other application was told");
}, WITHOUT);
