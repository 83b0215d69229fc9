import assert from "node:assert/strict";

import { authorize, endSession, errorPage } from "../provider.mjs";
import { scenario } from "../scenario.mjs";

const MISTAKES = [
  ["an unknown application", authorize({ client_id: "shop.nobody" }), /This application is not registered/, "invalid_request"],
  ["a redirect URI that is not registered", authorize({ redirect_uri: "https://evil.example/" }), /This application is not registered/, "invalid_request"],
  ["a logout with an address that is not registered",
    endSession({ client_id: "shop.shop", post_logout_redirect_uri: "https://evil.example/" }), /not signed out/, "invalid_request"],
];

for (const [mistake, address, title, code] of MISTAKES) {
  scenario(`${mistake} ends on a page, and nowhere else`, async ({ page }) => {
    const answer = await page.goto(address);
    assert.equal(answer.status(), 400);
    const shown = await errorPage(page);
    assert.match(shown.title, title);
    assert.equal(shown.code, code);
    // By this an operator finds what the logs say.
    assert.equal(await page.textContent("#request-id"), answer.headers()["x-request-id"]);
  });
}
