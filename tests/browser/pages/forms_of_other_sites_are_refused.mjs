import assert from "node:assert/strict";

import { authorize, errorPage, issuer, PASSWORD } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications, pages, SHOP } from "../shop.mjs";

scenario("another site's page cannot log a person in", async ({ page, context }) => {
  await applications();
  await page.goto(authorize());
  const flow = await page.inputValue("#login input[name=flow]");
  pages["/prize"] = `<form method="post" action="${issuer()}/oauth/login"><input name="flow" value="${flow}">
    <input name="username" value="ada"><input name="password" value="${PASSWORD}"><button id="go">Win</button></form>`;
  await page.goto(`${SHOP}/prize`);
  const answer = page.waitForResponse((response) => response.request().method() === "POST");
  await page.click("#go");
  assert.equal((await answer).status(), 403);
  assert.equal((await errorPage(page)).code, "foreign_origin");
  const cookies = await context.cookies();
  assert.ok(cookies.every(({ name }) => !name.includes("session")), "nobody is logged in");
});

scenario("no other site can show the pages in a frame", async ({ page, context }) => {
  await applications();
  pages["/frame"] = `<iframe src="${authorize()}" title="A login"></iframe>`;
  const refused = context.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.goto(`${SHOP}/frame`);
  await refused;
}, { expected: /frame-ancestors|chrome-error:/ });
