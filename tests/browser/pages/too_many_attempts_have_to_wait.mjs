import assert from "node:assert/strict";

import { authorize, logIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";

scenario("after five wrong passwords a person is told to wait, and how long", async ({ page }) => {
  await page.goto(authorize());
  // Each wait is twice the one before: one of the first attempts is made within it.
  for (let attempt = 0; attempt < 9; attempt += 1) {
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await logIn(page, "mallory", "a guess");
    if ((await answer).status() === 429) break;
  }
  await page.waitForSelector("#error");
  assert.match(await page.textContent("#error"), /Too many attempts\. Wait \d+ seconds?/);
  assert.equal(await page.inputValue("#username"), "mallory");
});
