"""A web application: people log in with Claviger, and logging out anywhere logs them out here."""

import os
import secrets

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, render_template, request, session, url_for
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]
# Where browsers reach this; what is registered as redirect URI begins with it.
URL = os.environ["URL"]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
    # Browsers do not tell the ports of one host apart: other applications on it have cookies too.
    SESSION_COOKIE_NAME="shop",
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=URL.startswith("https://"),
)
claviger = OAuth(app).register(
    "claviger",
    client_id=CLIENT_ID,
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)
# Who is logged in, by a random number that is in the browser's cookie. It is here and not in the cookie
# so that a logout elsewhere can end it; an application with several replicas keeps it in its database.
logins = {}


@app.get("/")
def home():
    return render_template("page.html", login=logins.get(session.get("login")))


@app.get("/login")
def login():
    # With state, nonce and a PKCE challenge, which Authlib checks when the browser comes back.
    return claviger.authorize_redirect(f"{URL}{url_for('callback')}")


@app.get("/callback")
def callback():
    try:
        token = claviger.authorize_access_token()
    except OAuthError as error:
        return render_template("page.html", problem=error.description or error.error), 400
    claims = token["userinfo"]  # those of the ID token, verified
    session.clear()
    session["login"] = secrets.token_urlsafe()
    logins[session["login"]] = {
        "sub": claims["sub"],
        "sid": claims["sid"],
        "id_token": token["id_token"],
        "person": claviger.userinfo(token=token),
    }
    return redirect(url_for("home"))


@app.post("/logout")
def logout():
    """Ends the login here and at the provider, which tells the other applications."""
    login = logins.pop(session.pop("login", None), None)
    if login is None:
        return redirect(url_for("home"))
    # The ID token as a hint says who logs out, so that nobody has to be asked.
    return claviger.logout_redirect(post_logout_redirect_uri=f"{URL}/", id_token_hint=login["id_token"])


@app.post("/backchannel-logout")
def backchannel_logout():
    """The provider tells, server to server, that a person has logged out (Back-Channel Logout 1.0 §2.5)."""
    try:
        claims = verified(request.form.get("logout_token", ""))
    except (JoseError, ValueError) as error:
        app.logger.warning("a logout token is refused: %s", error)
        return {"error": "invalid_request"}, 400, {"Cache-Control": "no-store"}
    for key, login in list(logins.items()):
        if login["sid"] == claims["sid"] if "sid" in claims else login["sub"] == claims["sub"]:
            logins.pop(key, None)
    return "", 200, {"Cache-Control": "no-store"}


def verified(logout_token):
    """The claims of a good logout token (§2.6). To see one twice does no harm, so `jti` is not kept."""
    algorithms = claviger.load_server_metadata()["id_token_signing_alg_values_supported"]
    try:
        token = jwt.decode(logout_token, KeySet.import_key_set(claviger.fetch_jwk_set()), algorithms)
    except InvalidKeyIdError:  # signed with a key that is newer than what we know
        token = jwt.decode(logout_token, KeySet.import_key_set(claviger.fetch_jwk_set(force=True)), algorithms)
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": CLIENT_ID},
        iat={"essential": True},
        exp={"essential": True},
    ).validate(token.claims)
    if token.header.get("typ") != "logout+jwt" or "nonce" in token.claims:
        raise ValueError("it is a token of another kind")
    if LOGOUT_EVENT not in token.claims.get("events", {}) or not token.claims.keys() & {"sid", "sub"}:
        raise ValueError("it does not say who logged out")
    return token.claims
