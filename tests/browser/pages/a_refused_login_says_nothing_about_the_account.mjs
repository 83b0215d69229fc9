import assert from "node:assert/strict";

import { arrivedWithCode, authorize, logIn, PASSWORD } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

scenario("a wrong password, an unknown name and a shut account are one and the same", async ({ page }) => {
  await page.goto(authorize());
  const shown = [];
  for (const [username, password] of [["grace", "wrong"], ["nobody", PASSWORD], ["gone", PASSWORD]]) {
    await logIn(page, username, password);
    await page.waitForSelector("#error");
    assert.equal(await page.inputValue("#username"), username, "what was typed is kept");
    assert.equal(await page.inputValue("#password"), "", "but not the password");
    assert.equal(await page.title(), "Error: Sign in – Acme");
    const focused = await page.evaluate(() => document.activeElement.id);
    shown.push([await page.textContent("#error"), await page.locator("main").innerText(), focused]);
  }
  assert.deepEqual(shown[1], shown[0]);
  assert.deepEqual(shown[2], shown[0]);
  assert.equal(shown[0][2], "password", "where the mistake most likely is");
});

scenario("a second try with the right password goes on", async ({ page }) => {
  await applications();
  await page.goto(authorize({ client_id: "shop.news", scope: "openid" }));
  await logIn(page, "grace", "wrong");
  await page.waitForSelector("#error");
  await logIn(page, "grace");
  await arrivedWithCode(page);
});
