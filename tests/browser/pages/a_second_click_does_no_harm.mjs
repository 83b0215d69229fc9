import { arrivedWithCode, authorize, fillIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

scenario("an impatient person arrives as well", async ({ page }) => {
  await applications();
  await page.goto(authorize({ prompt: "consent" }));
  await fillIn(page);
  await page.dblclick("#submit");
  await page.waitForSelector("#consent");
  await page.dblclick("#allow");
  await arrivedWithCode(page);
});
