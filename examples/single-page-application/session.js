// Who is logged in, in this tab: begins, keeps fresh and ends it. Tokens live as long as the tab.
import * as oauth from "./oauth4webapi.js";

const config = await (await fetch("/config.json")).json();
const client = { client_id: config.clientId };
const redirectUri = `${location.origin}/`;
// Plain http is for loopback, where this is developed.
const options = { [oauth.allowInsecureRequests]: config.issuer.startsWith("http://127.0.0.1:") };
const issuer = new URL(config.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));

export const orders = new URL(config.orders);

const read = (key) => JSON.parse(sessionStorage.getItem(key));
const write = (key, value) => sessionStorage.setItem(key, JSON.stringify(value));

/** What is known of the person: `name`, `sub`; null while nobody is logged in. */
export const person = () => read("session")?.person ?? null;

/** Sends the browser to the provider's login page. */
export async function logIn() {
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  };
  write("pending", pending);
  const to = new URL(server.authorization_endpoint);
  to.search = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: "openid profile orders:read",
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
  });
  location.assign(to);
}

/** Takes the answer out of the page's address, if it came with one. */
export async function comeBack() {
  const answer = new URL(location.href);
  if (!answer.searchParams.has("state")) return;
  history.replaceState(null, "", "/");
  const pending = read("pending");
  sessionStorage.removeItem("pending");
  // What remains after a logout, or an answer to somebody else's question: neither is ours.
  if (pending?.state !== answer.searchParams.get("state")) return;
  const parameters = oauth.validateAuthResponse(server, client, answer, pending.state);
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, redirectUri, pending.verifier, options);
  const tokens = await oauth.processAuthorizationCodeResponse(
    server, client, response, { expectedNonce: pending.nonce, requireIdToken: true });
  const { iss, sub, sid } = oauth.getValidatedIdTokenClaims(tokens);
  const about = await oauth.userInfoRequest(server, client, tokens.access_token, options);
  const person = await oauth.processUserInfoResponse(server, client, sub, about);
  write("session", { ...kept(tokens), idToken: tokens.id_token, iss, sid, person });
}

/** Calls the API, with a new access token where the old one is over. */
export async function call(method, url) {
  const over = Date.now() >= read("session").expiresAt;
  if (over) await refresh();
  try {
    return await oauth.protectedResourceRequest(
      read("session").accessToken, method, url, undefined, undefined, options);
  } catch (error) {
    // Its clock may be ahead of ours: one more try. 403 stays what it is.
    if (!(error instanceof oauth.WWWAuthenticateChallengeError) || error.status !== 401 || over) throw error;
    await refresh();
    return oauth.protectedResourceRequest(read("session").accessToken, method, url, undefined, undefined, options);
  }
}

// A refresh token is good once, and a page without a secret gets no second try with it: calls at once share one.
let refreshing = null;
function refresh() {
  refreshing ??= renew().finally(() => { refreshing = null; });
  return refreshing;
}

async function renew() {
  const session = read("session");
  try {
    const response = await oauth.refreshTokenGrantRequest(
      server, client, oauth.None(), session.refreshToken, options);
    write("session", { ...session, ...kept(await oauth.processRefreshTokenResponse(server, client, response)) });
  } catch (error) {
    if (!(error instanceof oauth.ResponseBodyError) || error.error !== "invalid_grant") throw error;
    // The session is over at the provider, or this tab was duplicated and the other one has used the token.
    // The provider knows which: it asks for a password only where it has to.
    forget();
    await logIn();
    await new Promise(() => {}); // The page is on its way there.
  }
}

const kept = (tokens) => ({
  accessToken: tokens.access_token,
  refreshToken: tokens.refresh_token,
  expiresAt: Date.now() + tokens.expires_in * 1000,
});

/** Ends it here and at the provider, which tells the other applications. */
export function logOut() {
  const { idToken } = read("session");
  forget();
  const to = new URL(server.end_session_endpoint);
  to.search = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: redirectUri });
  location.assign(to);
}

const forget = () => sessionStorage.removeItem("session");

/** Calls `told` when the person has logged out elsewhere (Front-Channel Logout 1.0): see logged-out.js. */
export function onLogoutElsewhere(told) {
  new BroadcastChannel("logged-out").onmessage = ({ data }) => {
    const session = read("session");
    if (data.iss !== session?.iss || data.sid !== session?.sid) return;
    forget();
    told();
  };
}
