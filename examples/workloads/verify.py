#!/usr/bin/env python3
"""verify.py ISSUER AUDIENCE <TOKEN

What an API in Python does with an access token, with PyJWT. Prints the claims, or why it is refused.
"""

import json
import sys
import time
import urllib.request

import jwt

# Never what the token says alone: a list of our own, without HMAC and "none".
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]


class Keys(jwt.PyJWKClient):
    """The issuer's keys. They are kept for five minutes, and fetched anew for one that is not known."""

    def __init__(self, url):
        super().__init__(url, lifespan=300)
        self.next_refresh = 0

    def get_jwk_set(self, refresh=False):
        # Anybody can make up a kid: for those it is once in half a minute.
        refresh = refresh and time.monotonic() >= self.next_refresh
        if refresh:
            self.next_refresh = time.monotonic() + 30
        return super().get_jwk_set(refresh)


class AccessTokens:
    """Access tokens (RFC 9068) of one issuer for one API."""

    def __init__(self, issuer, audience):
        self.issuer, self.audience = issuer, audience
        with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5) as answer:
            metadata = json.load(answer)
        if metadata["issuer"] != issuer:
            raise ValueError(f"the document is that of {metadata['issuer']}")
        self.keys = Keys(metadata["jwks_uri"])

    def verify(self, token):
        """The claims of a good token; else jwt.PyJWTError."""
        key = self.keys.get_signing_key_from_jwt(token)
        # An ID token is signed by the same keys: the header tells them apart.
        kind = str(jwt.get_unverified_header(token).get("typ")).lower()
        if kind not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError(f"typ is {kind}, not at+jwt")
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=self.issuer,
            audience=self.audience,
            options={"require": ["iss", "aud", "exp", "iat", "sub", "client_id"]},
        )


if __name__ == "__main__":
    _, issuer, audience = sys.argv
    try:
        print(json.dumps(AccessTokens(issuer, audience).verify(sys.stdin.read().strip())))
    except jwt.PyJWTError as error:
        sys.exit(f"refused: {error}")
