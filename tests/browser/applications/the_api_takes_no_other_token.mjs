import assert from "node:assert/strict";

import { DASHBOARD_URL, logInAtTheDashboard, ORDERS_URL, session } from "../applications.mjs";
import { scenario } from "../scenario.mjs";

async function ask(token, headers = {}) {
  const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(ORDERS_URL, { headers: { ...authorization, ...headers } });
  return [response.status, response.headers.get("WWW-Authenticate")];
}

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
  // For another audience: what a service gets that asks for no API.
  const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), aud: "other" }));
  assert.deepEqual(await ask([header, other.toString("base64url"), signature].join(".")), INVALID);
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
