import assert from "node:assert/strict";

import { logInAtTheDashboard, logInAtTheShop } from "../applications.mjs";
import { look } from "../look.mjs";
import { scenario } from "../scenario.mjs";

scenario("whoever logged in to the web application needs no password for the page", async ({ page, context }) => {
  await logInAtTheShop(page, "ada");
  assert.equal(await page.textContent("#name"), "Ada Lovelace");
  await look(page, "example-web-application");
  const second = await context.newPage();
  await logInAtTheDashboard(second, null);
  assert.equal(await second.textContent("#name"), "Ada Lovelace");
  await look(second, "example-single-page-application");
});

scenario("and the other way round", async ({ page }) => {
  await logInAtTheDashboard(page, "grace");
  await logInAtTheShop(page, null);
  assert.equal(await page.textContent("#name"), "Grace Hopper");
});
