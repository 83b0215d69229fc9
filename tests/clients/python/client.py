#!/usr/bin/env python3
"""A relying party on Authlib. ../README.md has the conversation that it holds on its standard input
and output."""

import json
import sys

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet


def hear():
    line = sys.stdin.readline()
    if not line:
        raise EOFError("nothing more is said")
    return line.strip()


def say(line):
    print(line, flush=True)


def fetch(url):
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return answer.json()


def discover(issuer):
    metadata = OpenIDProviderMetadata(fetch(get_well_known_url(issuer, external=True)))
    metadata.validate()
    if metadata["issuer"] != issuer:
        raise ValueError(f"discovery under {issuer} names the issuer {metadata['issuer']}")
    return metadata


def session_for(settings, metadata):
    method = settings["authentication"]
    session = OAuth2Session(
        settings["client_id"],
        settings.get("client_secret"),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=settings["scope"],
        redirect_uri=settings.get("redirect_uri"),
        code_challenge_method="S256" if settings["pkce"] else None,
        token_endpoint=metadata["token_endpoint"],
    )
    if method == "private_key_jwt":
        key = settings["private_key"]
        session.client_secret = ECKey.import_key(key)
        session.register_client_auth_method(
            PrivateKeyJWT(metadata["token_endpoint"], alg="ES256", headers={"kid": key["kid"]})
        )
    return session


def verify_id_token(token, settings, metadata, nonce=None):
    """Signature by the published keys, then iss, aud, azp, exp, iat, nonce and at_hash."""
    keys = KeySet.import_key_set(fetch(metadata["jwks_uri"]))
    algorithms = metadata["id_token_signing_alg_values_supported"]
    decoded = jwt.decode(token["id_token"], keys, algorithms=algorithms)
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"value": metadata["issuer"]}, "aud": {"value": settings["client_id"]}},
        params={"nonce": nonce, "client_id": settings["client_id"], "access_token": token["access_token"]},
    )
    claims.validate()
    return dict(claims)


def introspect(session, metadata, token):
    answer = session.introspect_token(metadata["introspection_endpoint"], token=token, token_type_hint="access_token")
    answer.raise_for_status()
    return answer.json()


def revoke(session, metadata, token, hint):
    session.revoke_token(metadata["revocation_endpoint"], token=token, token_type_hint=hint).raise_for_status()


def refusal(session, refresh_token):
    """The error of the token endpoint, None where it takes the refresh token."""
    try:
        session.refresh_token(refresh_token=refresh_token)
    except OAuthError as error:
        return error.error
    return None


def log_in(session, settings, metadata):
    """A person's login, and all that comes after it."""
    verifier, nonce = generate_token(48) if settings["pkce"] else None, generate_token(20)
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    say(url)
    token = session.fetch_token(authorization_response=hear(), state=state, code_verifier=verifier)
    claims = verify_id_token(token, settings, metadata, nonce)

    answer = session.get(metadata["userinfo_endpoint"])
    answer.raise_for_status()
    userinfo = UserInfo(answer.json())
    if userinfo.sub != claims["sub"]:
        raise ValueError("UserInfo is about somebody else")

    refreshed = session.refresh_token(refresh_token=token["refresh_token"])
    report = {
        "claims": claims,
        "userinfo": userinfo,
        "refreshed": verify_id_token(refreshed, settings, metadata),
        "rotated": refreshed["refresh_token"] != token["refresh_token"],
    }

    may_introspect = settings["authentication"] != "none"
    access_token, refresh_token = refreshed["access_token"], refreshed["refresh_token"]
    if may_introspect:
        report["introspection"] = introspect(session, metadata, access_token)
    revoke(session, metadata, refresh_token, "refresh_token")
    if may_introspect:
        report["introspection_after_revocation"] = introspect(session, metadata, access_token)
    report["refresh_after_revocation"] = refusal(session, refresh_token)

    logout = {
        "id_token_hint": refreshed["id_token"],
        "post_logout_redirect_uri": settings["post_logout_redirect_uri"],
        "state": "signed-out",
    }
    report["logout_url"] = requests.Request("GET", metadata["end_session_endpoint"], params=logout).prepare().url
    return report


def act_alone(session, _, metadata):
    """A service in its own name."""
    token = session.fetch_token(grant_type="client_credentials")
    introspection = introspect(session, metadata, token["access_token"])
    revoke(session, metadata, token["access_token"], "access_token")
    return {
        "expires_in": token["expires_in"],
        "introspection": introspection,
        "introspection_after_revocation": introspect(session, metadata, token["access_token"]),
    }


def main():
    settings = json.loads(hear())
    metadata = discover(settings["issuer"])
    session = session_for(settings, metadata)
    act = act_alone if settings["grant"] == "client_credentials" else log_in
    say(json.dumps(act(session, settings, metadata)))


if __name__ == "__main__":
    main()
