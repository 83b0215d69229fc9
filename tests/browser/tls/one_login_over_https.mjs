// `claviger dev --tls`: Chromium has no CA of this test's, so it is told which one key to take. Whether that key
// is the CA's to vouch for, and for this address, node has checked before.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:tls";

import { arrivedWithCode, authorize, begin, issuer, redeem, toConsent } from "../provider.mjs";
import { launch, scenario } from "../scenario.mjs";
import { applications } from "../shop.mjs";

const { CLAVIGER_URL, CA } = process.env;

const { hostname, port } = new URL(CLAVIGER_URL);
const socket = connect({ host: hostname, port: Number(port), ca: await readFile(CA) });
await once(socket, "secureConnect");
const key = socket.getPeerX509Certificate().publicKey.export({ type: "spki", format: "der" });
socket.destroy();
launch.args.push(`--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`);

scenario("a person logs in over https, and the cookies go nowhere else", async ({ page, context }) => {
  await applications();
  await toConsent(page);
  assert.ok(page.url().startsWith("https://"), page.url());
  assert.equal(await page.evaluate(() => isSecureContext), true);
  await page.click("#allow");
  await arrivedWithCode(page);
  const cookies = await context.cookies(CLAVIGER_URL);
  assert.ok(cookies.some(({ name }) => name === "__Host-claviger-session-acme"), JSON.stringify(cookies));
  for (const { name, secure, httpOnly } of cookies) assert.ok(name.startsWith("__Host-") && secure && httpOnly, name);
  const tokens = await redeem(page, { client: "shop" });
  const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url").toString());
  assert.equal(claims.iss, issuer());
});

scenario("the session is there for the next application", async ({ page }) => {
  await applications();
  await begin(page);
  await page.goto(authorize({ client_id: "shop.news", scope: "openid" }));
  await arrivedWithCode(page);
});
