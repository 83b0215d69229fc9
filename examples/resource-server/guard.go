package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// guard lets nobody in without a good access token (RFC 9068, RFC 6750).
type guard struct {
	verifier *oidc.IDTokenVerifier
}

// caller is who a token speaks of: a person's `sub`, or a service's own client ID.
type caller struct {
	Subject string `json:"sub"`
	Client  string `json:"client_id"`
	Scope   string `json:"scope"`
}

var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA}

// discover learns the issuer's keys, and waits for it as long as it is not there.
func discover(ctx context.Context, issuer, audience string) (*guard, error) {
	for {
		provider, err := oidc.NewProvider(ctx, issuer)
		if err == nil {
			// Signature, iss, aud and exp. The library says "ID token" and checks nothing that an
			// access token does not have.
			return &guard{provider.Verifier(&oidc.Config{ClientID: audience})}, nil
		}
		log.Printf("waiting for the issuer: %v", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

// needs lets a request pass whose token has the scope.
func (g *guard) needs(scope string, next func(http.ResponseWriter, caller)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, bearer := bearerToken(r)
		if !bearer {
			challenge(w, http.StatusUnauthorized, `Bearer realm="orders"`)
			return
		}
		caller, err := g.verify(r.Context(), token)
		if err != nil {
			log.Printf("refused: %v", err)
			challenge(w, http.StatusUnauthorized, `Bearer realm="orders", error="invalid_token"`)
			return
		}
		if !slices.Contains(strings.Fields(caller.Scope), scope) {
			needed := fmt.Sprintf(`Bearer realm="orders", error="insufficient_scope", scope="%s"`, scope)
			challenge(w, http.StatusForbidden, needed)
			return
		}
		next(w, caller)
	})
}

func (g *guard) verify(ctx context.Context, token string) (caller, error) {
	// An ID token is signed with the same keys: the header tells them apart (RFC 9068 §4).
	parsed, err := jose.ParseSigned(token, algorithms)
	if err != nil {
		return caller{}, err
	}
	kind, _ := parsed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	if kind := strings.ToLower(kind); kind != "at+jwt" && kind != "application/at+jwt" {
		return caller{}, fmt.Errorf("typ is %q, not at+jwt", kind)
	}
	verified, err := g.verifier.Verify(ctx, token)
	if err != nil {
		return caller{}, err
	}
	var claims caller
	return claims, verified.Claims(&claims)
}

func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

func challenge(w http.ResponseWriter, status int, value string) {
	w.Header().Set("WWW-Authenticate", value)
	answer(w, status, map[string]string{"error": http.StatusText(status)})
}
