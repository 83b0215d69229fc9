import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { authorize, errorPage, fillIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

// Another program has the database for itself, so nothing can be written.
const HOLD = `
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
`;

scenario("while the store is away a person is told to try again, and then it works", async ({ page }) => {
  await applications();
  await page.goto(authorize({ prompt: "consent" }));
  const login = page.url();
  await fillIn(page);
  const holder = spawn("python3", ["-c", HOLD, join(process.env.STATE, "logins.db")], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(holder.stdout, "data");
    const answer = page.waitForResponse((response) => response.request().method() === "POST", { timeout: 40_000 });
    await page.click("#submit", { noWaitAfter: true });
    assert.equal((await answer).status(), 503);
    assert.ok((await answer).headers()["retry-after"]);
    assert.equal((await errorPage(page)).code, "temporarily_unavailable");
  } finally {
    holder.stdin.end();
  }
  await once(holder, "exit");
  await page.goto(login);
  await fillIn(page);
  await page.click("#submit");
  await page.waitForSelector("#consent");
});
