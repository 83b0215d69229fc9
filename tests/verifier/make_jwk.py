#!/usr/bin/env python3
"""make_jwk.py: prints a private JWK for RS256, a key that PyJWT's library has just made."""

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

print(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)))
