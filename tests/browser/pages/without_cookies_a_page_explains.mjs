import assert from "node:assert/strict";

import { authorize, errorPage } from "../provider.mjs";
import { scenarioWith } from "../scenario.mjs";

const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } };

scenarioWith("a browser that takes no cookies is told so before a password is typed", BLOCKED, async ({ page }) => {
  await page.goto(authorize());
  const { title, code } = await errorPage(page);
  assert.equal(code, "flow_cookie_missing");
  assert.match(title, /Cookies/);
});
