// A relying party on openid-client. ../README.md has the conversation that it holds on its standard
// input and output.
import process from 'node:process'
import { createInterface } from 'node:readline'
import * as oidc from 'openid-client'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function hear() {
  const { value, done } = await lines.next()
  if (done) throw new Error('nothing more is said')
  return value
}

const say = (line) => process.stdout.write(`${line}\n`)

async function authentication(settings) {
  switch (settings.authentication) {
    case 'client_secret_basic':
      return oidc.ClientSecretBasic(settings.client_secret)
    case 'client_secret_post':
      return oidc.ClientSecretPost(settings.client_secret)
    case 'private_key_jwt': {
      const curve = { name: 'ECDSA', namedCurve: 'P-256' }
      const key = await crypto.subtle.importKey('jwk', settings.private_key, curve, false, ['sign'])
      return oidc.PrivateKeyJwt({ key, kid: settings.private_key.kid })
    }
    case 'none':
      return oidc.None()
    default:
      throw new Error(`no such authentication: ${settings.authentication}`)
  }
}

// Whether the token endpoint takes the refresh token: null, or its error.
async function refusal(config, refreshToken) {
  try {
    await oidc.refreshTokenGrant(config, refreshToken)
    return null
  } catch (error) {
    if (error instanceof oidc.ResponseBodyError) return error.error
    throw error
  }
}

// A person's login, and all that comes after it.
async function logIn(config, settings) {
  const verifier = oidc.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
  say(
    oidc.buildAuthorizationUrl(config, {
      redirect_uri: settings.redirect_uri,
      scope: settings.scope,
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }),
  )

  // Verifies state, iss, and of the ID token: signature, iss, aud, azp, exp, iat, nonce, at_hash.
  const tokens = await oidc.authorizationCodeGrant(config, new URL(await hear()), { ...checks, idTokenExpected: true })
  const claims = tokens.claims()
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  const report = { claims, userinfo, refreshed: refreshed.claims(), rotated: refreshed.refresh_token !== tokens.refresh_token }

  const mayIntrospect = settings.authentication !== 'none'
  if (mayIntrospect) report.introspection = await oidc.tokenIntrospection(config, refreshed.access_token)
  await oidc.tokenRevocation(config, refreshed.refresh_token)
  if (mayIntrospect) report.introspection_after_revocation = await oidc.tokenIntrospection(config, refreshed.access_token)
  report.refresh_after_revocation = await refusal(config, refreshed.refresh_token)

  report.logout_url = oidc.buildEndSessionUrl(config, {
    id_token_hint: refreshed.id_token,
    post_logout_redirect_uri: settings.post_logout_redirect_uri,
    state: 'signed-out',
  })
  return report
}

// A service in its own name.
async function actAlone(config, settings) {
  const tokens = await oidc.clientCredentialsGrant(config, { scope: settings.scope })
  const introspection = await oidc.tokenIntrospection(config, tokens.access_token)
  await oidc.tokenRevocation(config, tokens.access_token)
  const after = await oidc.tokenIntrospection(config, tokens.access_token)
  return { expires_in: tokens.expires_in, introspection, introspection_after_revocation: after }
}

const settings = JSON.parse(await hear())
const config = await oidc.discovery(
  new URL(settings.issuer),
  settings.client_id,
  undefined,
  await authentication(settings),
)
const act = settings.grant === 'client_credentials' ? actAlone : logIn
say(JSON.stringify(await act(config, settings)))
process.exit(0)
