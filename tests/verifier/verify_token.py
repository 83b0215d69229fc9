#!/usr/bin/env python3
"""verify_token.py ISSUER TOKEN [--audience AUDIENCE] [--ca-file PEM]

Verifies a JWT with PyJWT as a resource server would, knowing only the issuer's URL, and prints the
claims as JSON. The exit code is 1 and standard error says why when the token is not good.
"""

import argparse
import json
import ssl
import sys
import urllib.request

import jwt

# What an outside verifier may accept: asymmetric only, so that a public key is never a secret.
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]


def discover(issuer, context):
    url = issuer + "/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=10, context=context) as answer:
        metadata = json.load(answer)
    if metadata["issuer"] != issuer:
        raise ValueError(f"discovery under {issuer} names the issuer {metadata['issuer']}")
    return metadata


def verify(issuer, token, audience, ca_file):
    secure = issuer.startswith("https:")
    context = ssl.create_default_context(cafile=ca_file) if secure else None
    keys = jwt.PyJWKClient(discover(issuer, context)["jwks_uri"], timeout=10, ssl_context=context)
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=ALGORITHMS,
        issuer=issuer,
        audience=audience,
        options={"require": ["iss", "exp", "iat"], "verify_aud": audience is not None},
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("issuer")
    arguments.add_argument("token")
    arguments.add_argument("--audience")
    arguments.add_argument("--ca-file")
    given = arguments.parse_args()
    try:
        claims = verify(given.issuer, given.token, given.audience, given.ca_file)
    except (jwt.PyJWTError, ValueError, KeyError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(claims))


if __name__ == "__main__":
    main()
