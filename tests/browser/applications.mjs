// The example applications, as a person uses them.
export const { ISSUER, SHOP_URL, DASHBOARD_URL, ORDERS_URL, ORDERS_SECRET } = process.env;

const PASSWORDS = { ada: "demo-only-change-me", grace: "demo-only-change-me-too" };

/** Whatever of the provider's pages comes until the application's page says `arrived`. */
export async function pass(page, arrived, username) {
  for (;;) {
    await page.waitForSelector(`${arrived}, #login form, #consent`);
    if (await page.isVisible(arrived)) return;
    const before = page.url();
    if (await page.isVisible("#consent")) {
      await page.click("#allow");
    } else {
      if (username === null) throw new Error("a password is asked for");
      await page.fill("#username", username);
      await page.fill("#password", PASSWORDS[username]);
      await page.click("#submit");
    }
    await page.waitForURL((url) => url.href !== before);
  }
}

/** Logs in at the web application; `username` null where a session has to do. */
export async function logInAtTheShop(page, username = "ada") {
  await page.goto(SHOP_URL);
  await page.click("#login");
  await pass(page, "#name", username);
}

/** Logs in at the single-page application. */
export async function logInAtTheDashboard(page, username = "ada") {
  await page.goto(DASHBOARD_URL);
  await page.click("#login");
  await pass(page, "#logout", username);
}

/** What the single-page application holds. */
export const session = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem("session")));
