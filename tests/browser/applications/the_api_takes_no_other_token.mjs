import assert from "node:assert/strict";

import { DASHBOARD_URL, ISSUER, logInAtTheDashboard, ORDERS_SECRET, ORDERS_URL, session } from "../applications.mjs";
import { scenario } from "../scenario.mjs";

async function ask(token, headers = {}) {
  const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(ORDERS_URL, { headers: { ...authorization, ...headers } });
  return [response.status, response.headers.get("WWW-Authenticate")];
}

/** What a service gets that asks for no API: an access token like any other, for the issuer. */
async function tokenForAnotherAudience() {
  const credentials = Buffer.from(`shop.orders:${ORDERS_SECRET}`).toString("base64");
  const answer = await fetch(`${ISSUER}/oauth/token`, {
    method: "POST",
    headers: { Authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

const part = (token, number) => JSON.parse(Buffer.from(token.split(".")[number], "base64url"));

const INVALID = [401, 'Bearer realm="orders", error="invalid_token"'];

scenario("the API takes its own access tokens and nothing else", async ({ page }) => {
  await logInAtTheDashboard(page);
  const { accessToken, idToken } = await session(page);
  assert.deepEqual(await ask(accessToken), [200, null]);
  assert.deepEqual(await ask(undefined), [401, 'Bearer realm="orders"']);
  assert.deepEqual(await ask("rubbish"), INVALID);
  assert.deepEqual(await ask(idToken), INVALID);
  const [header, claims, signature] = accessToken.split(".");
  const forged = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  assert.deepEqual(await ask([header, claims, forged].join(".")), INVALID);
  const changed = Buffer.from(JSON.stringify({ ...part(accessToken, 1), sub: "usr_mallory" })).toString("base64url");
  assert.deepEqual(await ask([header, changed, signature].join(".")), INVALID);
  // It differs from the page's in nothing but what it says: same key, same type, same issuer.
  const other = await tokenForAnotherAudience();
  assert.deepEqual(part(other, 0), part(accessToken, 0));
  assert.deepEqual([part(other, 1).iss, part(other, 1).aud], [part(accessToken, 1).iss, ISSUER]);
  assert.deepEqual(await ask(other), INVALID);
});

scenario("only the page's own origin may call the API from a browser", async () => {
  const preflight = async (origin) => {
    const headers = { Origin: origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization" };
    const response = await fetch(ORDERS_URL, { method: "OPTIONS", headers });
    return response.headers.get("Access-Control-Allow-Origin");
  };
  assert.equal(await preflight(DASHBOARD_URL), DASHBOARD_URL);
  assert.equal(await preflight("https://evil.example"), null);
});
