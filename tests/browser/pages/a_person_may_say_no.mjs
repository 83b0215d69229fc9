import assert from "node:assert/strict";

import { arrived, arrivedWithCode, authorize, toConsent } from "../provider.mjs";
import { look } from "../look.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

scenario("no is an answer, and can be another one next time", async ({ page }) => {
  await applications();
  await toConsent(page);
  await page.click("#deny");
  const answer = await arrived(page);
  assert.equal(answer.get("error"), "access_denied");
  assert.equal(answer.get("state"), "the state");
  assert.equal(answer.get("code"), null);
  await page.goto(authorize({ prompt: "consent" }));
  await page.click("#allow");
  await arrivedWithCode(page);
});

scenario("whoever does not want to log in goes back to the application", async ({ page }) => {
  await applications();
  await page.goto(authorize());
  await page.click("#cancel");
  assert.equal((await arrived(page)).get("error"), "access_denied");
});

scenario("where nobody can log in the way back is all that there is", async ({ page }) => {
  await applications();
  await page.goto(authorize({ tenant: "closed", client_id: "shop.waiting", scope: "openid" }));
  await page.waitForSelector("#no-login");
  await look(page, "no-login");
  await page.click("#cancel");
  assert.ok((await arrived(page)).get("error"));
});
