import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { authorize, errorPage, issuer, logIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

scenario("a login that nobody knows of any more has expired", async ({ page }) => {
  const answer = await page.goto(`${issuer()}/oauth/login?flow=from-an-old-bookmark`);
  assert.equal(answer.status(), 400);
  const { title, code } = await errorPage(page);
  assert.equal(code, "flow_expired");
  assert.match(title, /expired/);
});

scenario("a login for an application that was withdrawn meanwhile has expired", async ({ page }) => {
  await applications();
  await page.goto(authorize({ client_id: "shop.withdrawn", scope: "openid" }));
  await page.waitForSelector("#login");
  const login = page.url();
  await rm(join(process.env.MANIFESTS, "31-withdrawn.yaml"));
  for (let tries = 0; (await page.locator("#error-page").count()) === 0; tries += 1) {
    if (tries > 50) throw new Error("the login goes on");
    await page.goto(login);
    await page.waitForTimeout(100);
  }
  assert.equal((await errorPage(page)).code, "flow_expired");
});

scenario("a login of another browser is not this one's", async ({ page, context }) => {
  await page.goto(authorize());
  await page.waitForSelector("#login");
  const stolen = page.url();
  const other = await context.browser().newContext();
  try {
    const victim = await other.newPage();
    await victim.goto(stolen);
    assert.equal((await errorPage(victim)).code, "flow_cookie_missing");
  } finally {
    await other.close();
  }
  await logIn(page);
  await page.waitForSelector("#consent");
});
