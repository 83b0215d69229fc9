#!/usr/bin/env python3
"""keep_verifying.py [--copies N]

Verifies every JWT that it is given, with PyJWT, as N resource servers would that keep a JWK Set
exactly as long as its Cache-Control says: never longer, never shorter, and an unknown `kid` is no
reason to look again. Each token is verified at once, and again a second before it expires.

Reads one JSON object a line: issuer, token, note (told again with a failure). Prints one a line:
each failure, its counts every second, and at the end of the input, once all is verified, "done".
"""

import argparse
import heapq
import http.client
import itertools
import json
import sys
import threading
import time
import urllib.error
import urllib.request

import jwt

# A token is looked at for the last time so long before it expires, seconds.
BEFORE_THE_END = 1.0
# So much later each further copy begins: caches that are filled at the same times notice no more than one.
APART = 0.37
# A JWK Set that cannot be fetched for so long is a failure, seconds.
PATIENCE = 15.0

printing = threading.Lock()


def tell(line):
    with printing:
        print(json.dumps(line), flush=True)


class Refused(Exception):
    """The JWK Set is not what it must be."""


def fetch(url):
    """Body and headers; connections may fail, for pods are killed, but an answer has to be good."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer), answer.headers
        except urllib.error.HTTPError as error:
            raise Refused(f"{url} answered {error.code}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            if time.monotonic() > end:
                raise Refused(f"{url} cannot be fetched: {error}") from error
            time.sleep(0.1)


def max_age(headers):
    """For how long this answer may be kept: 0 without a word."""
    directives = [part.strip().lower() for part in (headers.get("Cache-Control") or "").split(",")]
    if "no-store" in directives or "no-cache" in directives:
        return 0
    ages = [int(part[8:]) for part in directives if part.startswith("max-age=")]
    return min(ages, default=0)


class ResourceServer(threading.Thread):
    """One issuer's tokens, and one cache of its JWK Set."""

    def __init__(self, issuer, number):
        super().__init__(daemon=True)
        self.issuer, self.jwks_uri, self.wait = issuer, None, number * APART
        self.keys, self.parsed, self.since, self.keep = {}, {}, None, 0
        self.verified = self.failed = self.late = self.fetched = 0
        self.queue, self.numbers = [], itertools.count()
        self.changed, self.over = threading.Condition(), False

    def put(self, at, work):
        with self.changed:
            heapq.heappush(self.queue, (at, next(self.numbers), work))
            self.changed.notify()

    def end(self):
        with self.changed:
            self.over = True
            self.changed.notify()

    def run(self):
        time.sleep(self.wait)
        while (work := self.take()) is not None:
            self.look(*work)

    def take(self):
        with self.changed:
            while True:
                if self.queue:
                    wait = self.queue[0][0] - time.time()
                    if wait <= 0:
                        return heapq.heappop(self.queue)[2]
                    self.changed.wait(wait)
                elif self.over:
                    return None
                else:
                    self.changed.wait()

    def look(self, token, note, last):
        claims = jwt.decode(token, options={"verify_signature": False})
        if not last:
            self.put(claims["exp"] - BEFORE_THE_END, (token, note, True))
        try:
            self.refresh()
            header = jwt.get_unverified_header(token)
            late = time.time() >= claims["exp"] - 0.05
            key = self.key(header["kid"])
            jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self.issuer,
                options={"require": ["iss", "exp", "iat"], "verify_aud": False, "verify_exp": not late},
            )
            self.late += late
        except (jwt.PyJWTError, Refused, KeyError) as error:
            self.failed += 1
            self.complain(error, token, claims, note, last)
        self.verified += 1

    def key(self, kid):
        if kid not in self.keys:
            raise Refused(f"the kid {kid} is unknown")
        if kid not in self.parsed:
            self.parsed[kid] = jwt.PyJWK(self.keys[kid])
        return self.parsed[kid]

    def refresh(self):
        """Nothing, for as long as the JWK Set may be kept."""
        if self.since is not None and time.monotonic() - self.since < self.keep:
            return
        if self.jwks_uri is None:
            self.jwks_uri = fetch(self.issuer + "/.well-known/openid-configuration")[0]["jwks_uri"]
        found, headers = fetch(self.jwks_uri)
        self.keys = {key["kid"]: key for key in found["keys"]}
        if not self.keys:
            raise Refused("the JWK Set is empty")
        self.parsed, self.since, self.keep = {}, time.monotonic(), max_age(headers)
        self.fetched += 1

    def complain(self, error, token, claims, note, last):
        age = None if self.since is None else round(time.monotonic() - self.since, 3)
        tell(
            {
                "failure": f"{type(error).__name__}: {error}",
                "moment": "before it expires" if last else "when it is issued",
                "header": jwt.get_unverified_header(token),
                "claims": {name: claims.get(name) for name in ("iss", "iat", "exp", "jti")},
                "now": round(time.time(), 3),
                "note": note,
                "cached": {"kids": sorted(self.keys), "fetched_seconds_ago": age, "max_age": self.keep},
            }
        )


def counts(servers):
    names = ("verified", "failed", "late", "fetched")
    return {name: sum(getattr(server, name) for server in servers) for name in names}


def tell_every_second(servers, over):
    while not over.wait(1.0):
        tell(counts(list(servers)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--copies", type=int, default=1)
    copies = arguments.parse_args().copies
    by_issuer, servers, over = {}, [], threading.Event()
    threading.Thread(target=tell_every_second, args=(servers, over), daemon=True).start()
    for line in sys.stdin:
        given = json.loads(line)
        if given["issuer"] not in by_issuer:
            by_issuer[given["issuer"]] = [ResourceServer(given["issuer"], number) for number in range(copies)]
            for server in by_issuer[given["issuer"]]:
                server.start()
                servers.append(server)
        for server in by_issuer[given["issuer"]]:
            server.put(0, (given["token"], given["note"], False))
    for server in servers:
        server.end()
    for server in servers:
        server.join()
    over.set()
    tell({**counts(servers), "done": True})


if __name__ == "__main__":
    main()
