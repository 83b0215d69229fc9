import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jwt.JWT;
import com.nimbusds.oauth2.sdk.AccessTokenResponse;
import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.RefreshToken;
import com.nimbusds.oauth2.sdk.token.Token;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.AuthenticationSuccessResponse;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.claims.AccessTokenHash;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.claims.UserInfo;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.AccessTokenValidator;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.security.PrivateKey;
import java.util.LinkedHashMap;
import java.util.Map;
import net.minidev.json.JSONObject;

/**
 * A relying party on Nimbus's OAuth 2.0 SDK. ../README.md has the conversation that it holds on its
 * standard input and output.
 */
public final class Client {
    private static final BufferedReader LINES = new BufferedReader(new InputStreamReader(System.in));

    private final JSONObject settings;
    private final OIDCProviderMetadata provider;
    private final ClientID id;

    private Client(JSONObject settings) throws Exception {
        this.settings = settings;
        this.provider = OIDCProviderMetadata.resolve(new Issuer(setting("issuer")));
        this.id = new ClientID(setting("client_id"));
    }

    public static void main(String[] arguments) throws Exception {
        Client client = new Client(JSONObjectUtils.parse(hear()));
        boolean alone = "client_credentials".equals(client.setting("grant"));
        say(new JSONObject(alone ? client.actAlone() : client.logIn()).toJSONString());
    }

    private static String hear() throws IOException {
        String line = LINES.readLine();
        if (line == null) {
            throw new IOException("nothing more is said");
        }
        return line;
    }

    private static void say(Object line) {
        System.out.println(line);
    }

    private String setting(String name) throws Exception {
        return JSONObjectUtils.getString(settings, name, null);
    }

    private boolean isPublic() throws Exception {
        return "none".equals(setting("authentication"));
    }

    /** For one request: an assertion is used once. */
    private ClientAuthentication authentication() throws Exception {
        String method = setting("authentication");
        switch (method) {
            case "client_secret_basic":
                return new ClientSecretBasic(id, new Secret(setting("client_secret")));
            case "client_secret_post":
                return new ClientSecretPost(id, new Secret(setting("client_secret")));
            case "private_key_jwt":
                ECKey key = ECKey.parse(JSONObjectUtils.getJSONObject(settings, "private_key"));
                PrivateKey half = key.toPrivateKey();
                return new PrivateKeyJWT(
                        id, provider.getTokenEndpointURI(), JWSAlgorithm.ES256, half, key.getKeyID(), null);
            default:
                throw new IllegalArgumentException("no such authentication: " + method);
        }
    }

    private TokenResponse askForTokens(AuthorizationGrant grant, Scope scope) throws Exception {
        URI endpoint = provider.getTokenEndpointURI();
        TokenRequest request = isPublic()
                ? new TokenRequest(endpoint, id, grant, scope)
                : new TokenRequest(endpoint, authentication(), grant, scope);
        return OIDCTokenResponseParser.parse(request.toHTTPRequest().send());
    }

    private static OIDCTokens tokens(TokenResponse response) {
        if (!response.indicatesSuccess()) {
            throw new IllegalStateException(response.toErrorResponse().toJSONObject().toJSONString());
        }
        return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
    }

    /** Signature by the published keys, iss, aud, azp, exp, iat, nonce, and at_hash. */
    private IDTokenClaimsSet verify(OIDCTokens tokens, Nonce nonce) throws Exception {
        JWT idToken = tokens.getIDToken();
        JWSAlgorithm algorithm = JWSAlgorithm.parse(idToken.getHeader().getAlgorithm().getName());
        if (!provider.getIDTokenJWSAlgs().contains(algorithm)) {
            throw new IllegalStateException("an algorithm that the metadata do not name: " + algorithm);
        }
        IDTokenValidator validator =
                new IDTokenValidator(provider.getIssuer(), id, algorithm, provider.getJWKSetURI().toURL());
        IDTokenClaimsSet claims = validator.validate(idToken, nonce);
        AccessTokenHash hash = claims.getAccessTokenHash();
        AccessTokenValidator.validate(tokens.getAccessToken(), algorithm, hash);
        return claims;
    }

    private Map<String, Object> introspect(AccessToken token) throws Exception {
        TokenIntrospectionRequest request =
                new TokenIntrospectionRequest(provider.getIntrospectionEndpointURI(), authentication(), token);
        TokenIntrospectionResponse response = TokenIntrospectionResponse.parse(request.toHTTPRequest().send());
        if (!response.indicatesSuccess()) {
            throw new IllegalStateException(response.toErrorResponse().getErrorObject().toString());
        }
        return response.toSuccessResponse().toJSONObject();
    }

    private void revoke(Token token) throws Exception {
        URI endpoint = provider.getRevocationEndpointURI();
        TokenRevocationRequest request = isPublic()
                ? new TokenRevocationRequest(endpoint, id, token)
                : new TokenRevocationRequest(endpoint, authentication(), token);
        HTTPResponse response = request.toHTTPRequest().send();
        response.ensureStatusCode(200);
    }

    /** A person's login, up to the tokens. */
    private OIDCTokens exchange(Nonce nonce) throws Exception {
        State state = new State();
        CodeVerifier verifier = new CodeVerifier();
        URI redirect = new URI(setting("redirect_uri"));
        AuthenticationRequest request = new AuthenticationRequest.Builder(
                        new ResponseType(ResponseType.Value.CODE), Scope.parse(setting("scope")), id, redirect)
                .endpointURI(provider.getAuthorizationEndpointURI())
                .state(state)
                .nonce(nonce)
                .codeChallenge(verifier, CodeChallengeMethod.S256)
                .build();
        say(request.toURI());

        AuthenticationSuccessResponse answer =
                AuthenticationResponseParser.parse(new URI(hear())).toSuccessResponse();
        if (!state.equals(answer.getState()) || !provider.getIssuer().equals(answer.getIssuer())) {
            throw new IllegalStateException("not the answer to our request");
        }
        AuthorizationCode code = answer.getAuthorizationCode();
        return tokens(askForTokens(new AuthorizationCodeGrant(code, redirect, verifier), null));
    }

    private UserInfo userInfo(OIDCTokens tokens) throws Exception {
        UserInfoRequest request = new UserInfoRequest(provider.getUserInfoEndpointURI(), tokens.getAccessToken());
        return UserInfoResponse.parse(request.toHTTPRequest().send()).toSuccessResponse().getUserInfo();
    }

    /** A person's login, and all that comes after it. */
    private Map<String, Object> logIn() throws Exception {
        Nonce nonce = new Nonce();
        OIDCTokens tokens = exchange(nonce);
        IDTokenClaimsSet claims = verify(tokens, nonce);
        UserInfo userInfo = userInfo(tokens);
        if (!userInfo.getSubject().equals(claims.getSubject())) {
            throw new IllegalStateException("UserInfo is about somebody else");
        }
        RefreshToken first = tokens.getRefreshToken();
        OIDCTokens refreshed = tokens(askForTokens(new RefreshTokenGrant(first), null));

        Map<String, Object> report = new LinkedHashMap<>();
        report.put("claims", claims.toJSONObject());
        report.put("userinfo", userInfo.toJSONObject());
        report.put("refreshed", verify(refreshed, null).toJSONObject());
        report.put("rotated", !refreshed.getRefreshToken().equals(first));
        introspectAround(report, refreshed.getAccessToken(), refreshed.getRefreshToken());
        TokenResponse late = askForTokens(new RefreshTokenGrant(refreshed.getRefreshToken()), null);
        report.put(
                "refresh_after_revocation",
                late.indicatesSuccess() ? null : late.toErrorResponse().getErrorObject().getCode());

        URI home = new URI(setting("post_logout_redirect_uri"));
        URI end = provider.getEndSessionEndpointURI();
        LogoutRequest logout = new LogoutRequest(end, refreshed.getIDToken(), home, new State("signed-out"));
        report.put("logout_url", logout.toURI().toString());
        return report;
    }

    /** Looks at the access token, revokes the other, and looks again. */
    private void introspectAround(Map<String, Object> report, AccessToken access, Token revoked) throws Exception {
        if (isPublic()) {
            revoke(revoked);
            return;
        }
        report.put("introspection", introspect(access));
        revoke(revoked);
        report.put("introspection_after_revocation", introspect(access));
    }

    /** A service in its own name. */
    private Map<String, Object> actAlone() throws Exception {
        TokenResponse response = askForTokens(new ClientCredentialsGrant(), Scope.parse(setting("scope")));
        AccessTokenResponse granted = response.toSuccessResponse();
        AccessToken token = granted.getTokens().getAccessToken();
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("expires_in", token.getLifetime());
        introspectAround(report, token, token);
        return report;
    }
}
