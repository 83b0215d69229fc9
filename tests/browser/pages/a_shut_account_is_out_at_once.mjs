import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { arrivedWithCode, authorize, logIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

const NEWS = { client_id: "shop.news", scope: "openid" };

scenario("an account that is shut has no session any more", async ({ page }) => {
  await applications();
  await page.goto(authorize(NEWS));
  await logIn(page, "leaver");
  await arrivedWithCode(page);
  const manifest = join(process.env.MANIFESTS, "21-leaver.yaml");
  const text = await readFile(manifest, "utf8");
  await writeFile(manifest, text.replace("disabled: false", "disabled: true"));
  // The change is live within a moment.
  for (let tries = 0; !page.url().includes("/oauth/login"); tries += 1) {
    if (tries > 50) throw new Error("still logged in");
    await page.goto(authorize(NEWS));
    await page.waitForTimeout(100);
  }
  await page.waitForSelector("#username");
});
