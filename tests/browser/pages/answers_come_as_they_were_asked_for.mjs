import assert from "node:assert/strict";

import { begin, toConsent } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications, SHOP } from "../shop.mjs";

scenario("an answer in a form is sent without a click", async ({ page }) => {
  await applications();
  const posted = page.waitForRequest((request) => request.method() === "POST" && request.url() === `${SHOP}/callback`);
  await toConsent(page, { response_mode: "form_post" });
  await page.click("#allow");
  const answer = new URLSearchParams((await posted).postData());
  assert.ok(answer.get("code"));
  assert.equal(answer.get("state"), "the state");
  await page.waitForURL(`${SHOP}/callback`);
});

scenario("an answer in the fragment stays in the browser", async ({ page }) => {
  const asked = await applications();
  await begin(page, { response_mode: "fragment" });
  const answer = new URLSearchParams(new URL(page.url()).hash.slice(1));
  assert.ok(answer.get("code"));
  assert.ok(asked.every((url) => !url.includes("code=")), "no server saw it");
});
