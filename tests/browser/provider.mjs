// The provider's pages, as an application and a person meet them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { SHOP } from "./shop.mjs";

const { CLAVIGER_URL, STATE } = process.env;
// The example of RFC 7636, appendix B; its challenge is below.
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const PASSWORD = "demo-only-change-me";

export const issuer = (tenant = "acme") => `${CLAVIGER_URL}/api/v1/auth/tenants/${tenant}`;

/** The address to which an application sends a browser to log in. */
export function authorize({ tenant, ...parameters } = {}) {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: "shop.shop",
    redirect_uri: `${SHOP}/callback`,
    scope: "openid profile email",
    state: "the state",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    ...parameters,
  });
  return `${issuer(tenant)}/oauth/authorize?${query}`;
}

/** The address to which an application sends a browser to log out. */
export const endSession = ({ tenant, ...parameters } = {}) =>
  `${issuer(tenant)}/oauth/logout?${new URLSearchParams(parameters)}`;

export async function fillIn(page, username = "ada", password = PASSWORD) {
  await page.fill("#username", username);
  await page.fill("#password", password);
}

/** Types into the login page and sends it. */
export async function logIn(page, username, password) {
  await fillIn(page, username, password);
  await page.click("#submit");
}

/** From nothing to the consent page: what was consented to in another test does not count. */
export async function toConsent(page, parameters) {
  await page.goto(authorize({ prompt: "consent", ...parameters }));
  await logIn(page);
  await page.waitForSelector("#consent");
}

/** From nothing to the application, so that a session is there. */
export async function begin(page, parameters) {
  await toConsent(page, parameters);
  await page.click("#allow");
  return arrived(page);
}

/** Waits for the application's page, and returns what the provider answered it. */
export async function arrived(page) {
  await page.waitForURL((url) => url.href.startsWith(`${SHOP}/callback`));
  return new URL(page.url()).searchParams;
}

/** Waits, and checks that a code came. */
export async function arrivedWithCode(page) {
  const answer = await arrived(page);
  assert.ok(answer.get("code"), `no code in ${answer}`);
  assert.equal(answer.get("state"), "the state");
}

/** Buys tokens with the code that came, as an application that is to be told of a logout. */
export async function redeem(page, { tenant, client }) {
  const secret = await readFile(join(STATE, `secrets/shop/${client}-oidc.yaml`), "utf8");
  const response = await fetch(`${issuer(tenant)}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: (await arrived(page)).get("code"),
      redirect_uri: `${SHOP}/callback`,
      code_verifier: VERIFIER,
      client_id: `shop.${client}`,
      client_secret: secret.match(/client_secret: "(.*)"/)[1],
    }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** What the error page says for who operates it. */
export async function errorPage(page) {
  await page.waitForSelector("#error-page");
  return { title: await page.textContent("h1"), code: await page.textContent("#code") };
}
