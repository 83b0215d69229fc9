import assert from "node:assert/strict";

import { arrivedWithCode, authorize, endSession, PASSWORD } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

// Presses Tab until `id` has the focus, and checks that a person sees that it has.
async function tabTo(page, id) {
  for (let presses = 0; presses < 10; presses += 1) {
    const { focused, outline } = await page.evaluate(() => ({
      focused: document.activeElement.id,
      outline: getComputedStyle(document.activeElement).outlineStyle,
    }));
    if (focused === id) {
      assert.notEqual(outline, "none", `${id} does not show its focus`);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way to ${id} by keyboard`);
}

scenario("a person without a mouse logs in, decides and logs out", async ({ page }) => {
  await applications();
  await page.goto(authorize({ prompt: "consent" }));
  assert.equal(await page.evaluate(() => document.activeElement.id), "username", "typing can start at once");
  await page.keyboard.type("ada");
  await tabTo(page, "password");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#consent");
  await tabTo(page, "allow");
  await page.keyboard.press("Enter");
  await arrivedWithCode(page);
  await page.goto(authorize({ prompt: "select_account" }));
  await page.waitForSelector("#select-account");
  await tabTo(page, "use-another");
  await tabTo(page, "continue");
  await page.keyboard.press("Space");
  await arrivedWithCode(page);
  await page.goto(endSession());
  await tabTo(page, "yes");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#logged-out");
});
