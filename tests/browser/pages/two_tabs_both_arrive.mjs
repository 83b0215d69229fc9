import { arrivedWithCode, authorize, logIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

const NEWS = { client_id: "shop.news", scope: "openid" };

scenario("two logins that began side by side both arrive", async ({ page, context }) => {
  await applications();
  const second = await context.newPage();
  await page.goto(authorize(NEWS));
  await second.goto(authorize(NEWS));
  await logIn(page);
  await arrivedWithCode(page);
  await logIn(second);
  await arrivedWithCode(second);
});

scenario("a tab that waited at the login page goes on when it is loaded again", async ({ page, context }) => {
  await applications();
  const second = await context.newPage();
  await page.goto(authorize(NEWS));
  await second.goto(authorize(NEWS));
  await logIn(page);
  await arrivedWithCode(page);
  await second.reload();
  await arrivedWithCode(second);
});
