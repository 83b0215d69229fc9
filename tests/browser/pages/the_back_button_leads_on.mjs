import assert from "node:assert/strict";

import { arrivedWithCode, errorPage, toConsent } from "../provider.mjs";
import { look } from "../look.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

scenario("whoever goes back from the consent page is not asked to log in again", async ({ page }) => {
  await applications();
  await toConsent(page);
  await page.goBack();
  await page.waitForSelector("#consent");
  await page.click("#allow");
  await arrivedWithCode(page);
});

scenario("whoever goes back to a login that is finished is told so", async ({ page }) => {
  await applications();
  await toConsent(page);
  const consent = page.url();
  await page.click("#allow");
  await arrivedWithCode(page);
  // Where the back button leads to, however the browser came from there.
  await page.goto(consent);
  assert.equal((await errorPage(page)).code, "already_used");
  await look(page, "error-used");
});
