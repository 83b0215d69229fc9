// Every page, in every language, in light and dark, on a phone and on a desktop.

import { arrived, authorize, endSession, errorPage, issuer, logIn, redeem, toConsent } from "../provider.mjs";
import { look } from "../look.mjs";
import { scenario, scenarioWith } from "../scenario.mjs";
import { applications, pages, SHOP } from "../shop.mjs";

const PLAIN = { name: "plain", tenant: "acme", client_id: "shop.shop", redirect_uri: "https://shop.example/callback" };
// A long name, a logo, a light colour, every scope.
const RICH = {
  name: "rich",
  tenant: "gallery",
  client_id: "shop.intranet",
  redirect_uri: "https://intranet.example/callback",
  scope: "openid profile email address phone groups offline_access employee tickets:write",
};
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="40"><rect width="160" height="40" rx="8" fill="#07a"/></svg>';

async function withLogo(context) {
  await context.route("https://cdn.example/logo.svg", (route) => route.fulfill({ contentType: "image/svg+xml", body: LOGO }));
}

for (const { name, tenant, redirect_uri, ...request } of [PLAIN, RICH]) {
  for (const language of ["en", "de", "fr"]) {
    const asking = { tenant, ui_locales: language, ...request };
    const see = (page, what) => look(page, `${what}-${name}-${language}`, { onlyWords: language !== "en" });

    scenario(`the pages of a login look right (${name}, ${language})`, async ({ page, context }) => {
      await applications();
      await withLogo(context);
      await page.goto(authorize(asking));
      await see(page, "login");
      await logIn(page, "ada", "wrong");
      await page.waitForSelector("#error");
      await see(page, "login-refused");
      await toConsent(page, { ...asking, redirect_uri });
      await see(page, "consent");
      await page.goto(authorize({ ...asking, prompt: "login" }));
      await see(page, "login-again");
      await page.goto(authorize({ ...asking, prompt: "select_account" }));
      await see(page, "select-account");
    });

    scenario(`the pages of a logout look right (${name}, ${language})`, async ({ page, context }) => {
      await applications();
      await withLogo(context);
      await toConsent(page, asking);
      await page.click("#allow");
      await arrived(page);
      await page.goto(endSession({ tenant, ui_locales: language }));
      await see(page, "logout");
      await page.click("#no");
      await page.waitForSelector("#stayed");
      await see(page, "stayed");
      await page.goto(endSession({ tenant, ui_locales: language }));
      await page.click("#yes");
      await page.waitForSelector("#logged-out");
      await see(page, "logged-out");
    });
  }
}

scenario("the page that waits for the other applications looks right", async ({ page, context }) => {
  await applications();
  await withLogo(context);
  await toConsent(page, { tenant: RICH.tenant, client_id: RICH.client_id });
  await page.click("#allow");
  await redeem(page, { tenant: RICH.tenant, client: "intranet" });
  // It moves on as soon as it can: hold it.
  await context.route("**/oauth/assets/**front-channel**", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
  await page.goto(endSession({ tenant: RICH.tenant, client_id: RICH.client_id, post_logout_redirect_uri: `${SHOP}/bye` }));
  await page.click("#yes");
  await page.waitForSelector("#logged-out");
  await look(page, "logged-out-frames");
});

scenario("the page that sends an answer looks right", async ({ page, context }) => {
  await applications();
  await context.route("**/oauth/assets/**form-post**", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
  await toConsent(page, { response_mode: "form_post" });
  await page.click("#allow");
  await page.waitForSelector("#form-post");
  await look(page, "form-post");
});

scenario("the consent page of an application on this device looks right", async ({ page, context }) => {
  await withLogo(context);
  await page.goto(authorize({ tenant: "gallery", client_id: "shop.phone", redirect_uri: "com.example.tickets:/callback", scope: "openid profile" }));
  await logIn(page);
  await page.waitForSelector("#consent");
  await look(page, "consent-native");
});

scenario("the login page of somebody who has to wait looks right", async ({ page }) => {
  await page.goto(authorize());
  for (let attempt = 0; attempt < 9; attempt += 1) {
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await logIn(page, "impatient", "a guess");
    if ((await answer).status() === 429) break;
  }
  await page.waitForSelector("#error");
  await look(page, "login-throttled");
});

const ERRORS = {
  "error-expired": `${issuer()}/oauth/login?flow=unknown`,
  "error-unknown-client": authorize({ client_id: "shop.nobody" }),
  "error-bad-request": `${issuer()}/oauth/authorize?client_id=shop.shop`,
  "error-logout": endSession({ client_id: "shop.shop", post_logout_redirect_uri: "https://evil.example/" }),
};

for (const locale of ["en-GB", "de-DE", "fr-FR"]) {
  scenario(`the pages of errors look right (${locale})`, async ({ page }) => {
    for (const [name, address] of Object.entries(ERRORS)) {
      await page.goto(address);
      await errorPage(page);
      await look(page, `${name}-${locale.slice(0, 2)}`, { onlyWords: locale !== "en-GB" });
    }
  }, { locale });
}

scenario("the page for a form of another site looks right", async ({ page }) => {
  await applications();
  pages["/prize"] = `<form method="post" action="${issuer()}/oauth/login"><input name="flow" value="x"><button id="go">Win</button></form>`;
  await page.goto(`${SHOP}/prize`);
  await page.click("#go");
  await errorPage(page);
  await look(page, "error-foreign");
});

scenario("the page of the API looks right", async ({ page }) => {
  await page.goto(`${process.env.CLAVIGER_URL}/api`);
  await page.waitForSelector("main#api");
  await look(page, "api");
});

scenarioWith("the page for a browser without cookies looks right",
  { profile: { default_content_setting_values: { cookies: 2 } } }, async ({ page }) => {
    await page.goto(authorize());
    await errorPage(page);
    await look(page, "error-cookies");
  });
