import assert from "node:assert/strict";

import { authorize, endSession, logIn } from "../provider.mjs";
import { scenario } from "../scenario.mjs";

const WORDS = {
  de: { locale: "de-AT", login: "Anmelden bei Acme", consent: "Zugriff erlauben?", logout: "Von Acme abmelden?" },
  fr: { locale: "fr-CA", login: "Se connecter à Acme", consent: "Autoriser l’accès ?", logout: "Se déconnecter du site Acme ?" },
};

async function reads(page, language, heading) {
  assert.equal(await page.getAttribute("html", "lang"), language);
  const words = (await page.textContent("h1")).replace(/\s+/g, " ");
  assert.equal(words, heading);
}

for (const [language, { locale, login, consent, logout }] of Object.entries(WORDS)) {
  scenario(`ui_locales=${language} goes before the browser's own language`, async ({ page }) => {
    await page.goto(authorize({ ui_locales: language, prompt: "consent", redirect_uri: "https://shop.example/callback" }));
    await reads(page, language, login);
    await logIn(page);
    await page.waitForSelector("#consent");
    await reads(page, language, consent);
    await page.goto(endSession({ ui_locales: language }));
    await reads(page, language, logout);
  });

  scenario(`a browser in ${locale} needs no ui_locales`, async ({ page }) => {
    await page.goto(authorize());
    await reads(page, language, login);
  }, { locale });
}

scenario("a language that there is not is English", async ({ page }) => {
  await page.goto(authorize({ ui_locales: "tlh" }));
  await reads(page, "en", "Sign in to Acme");
}, { locale: "ja-JP" });
