import assert from "node:assert/strict";

import { arrivedWithCode, authorize, begin, logIn, PASSWORD } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

scenario("a person goes on with the account that is there, or with another one", async ({ page }) => {
  await applications();
  await begin(page);
  await page.goto(authorize({ prompt: "select_account" }));
  assert.match(await page.textContent("#account"), /Continue as ada/);
  await page.click("#select-account #continue");
  await arrivedWithCode(page);
  await page.goto(authorize({ prompt: "select_account consent" }));
  await page.click("#use-another");
  await page.waitForSelector("#login");
  assert.equal(await page.inputValue("#username"), "", "nobody's name stands there");
  await logIn(page, "grace");
  await page.waitForSelector("#consent");
  assert.match(await page.textContent("#account"), /grace/);
});

scenario("an application may have a person confirm who it is, who may be somebody else", async ({ page }) => {
  await applications();
  await begin(page);
  await page.goto(authorize({ prompt: "login" }));
  assert.equal(await page.textContent("h1"), "Confirm it’s you");
  assert.equal(await page.inputValue("#username"), "ada");
  assert.equal(await page.isEditable("#username"), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), "password");
  await page.fill("#password", PASSWORD);
  await page.click("#submit");
  await arrivedWithCode(page);
  await page.goto(authorize({ prompt: "login" }));
  await page.click("#use-another");
  await page.waitForSelector("h1:has-text('Sign in to')");
  assert.equal(await page.isEditable("#username"), true);
});

scenario("an application may suggest who it is", async ({ page }) => {
  await page.goto(authorize({ login_hint: "grace" }));
  assert.equal(await page.inputValue("#username"), "grace");
  assert.equal(await page.evaluate(() => document.activeElement.id), "password");
});
