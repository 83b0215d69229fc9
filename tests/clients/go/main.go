// A relying party on coreos/go-oidc and golang.org/x/oauth2. ../README.md has the conversation that
// it holds on its standard input and output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type settings struct {
	Grant          string `json:"grant"`
	Issuer         string `json:"issuer"`
	ClientID       string `json:"client_id"`
	Authentication string `json:"authentication"`
	ClientSecret   string `json:"client_secret"`
	RedirectURI    string `json:"redirect_uri"`
	PostLogout     string `json:"post_logout_redirect_uri"`
	Scope          string `json:"scope"`
}

type object = map[string]any

// What go-oidc itself does not read of the metadata.
type endpoints struct {
	Introspection string `json:"introspection_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	EndSession    string `json:"end_session_endpoint"`
}

type relyingParty struct {
	settings  settings
	provider  *oidc.Provider
	endpoints endpoints
	oauth     oauth2.Config
}

var lines = bufio.NewReader(os.Stdin)

func hear() (string, error) {
	line, err := lines.ReadString('\n')
	return strings.TrimSpace(line), err
}

// Settings that name no method leave it to the library to find out.
func style(settings settings) (oauth2.AuthStyle, error) {
	switch settings.Authentication {
	case "":
		return oauth2.AuthStyleAutoDetect, nil
	case "client_secret_basic":
		return oauth2.AuthStyleInHeader, nil
	case "client_secret_post", "none":
		return oauth2.AuthStyleInParams, nil
	}
	return 0, fmt.Errorf("no such authentication: %s", settings.Authentication)
}

func discover(ctx context.Context, settings settings) (*relyingParty, error) {
	provider, err := oidc.NewProvider(ctx, settings.Issuer)
	if err != nil {
		return nil, err
	}
	party := &relyingParty{settings: settings, provider: provider}
	if err := provider.Claims(&party.endpoints); err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	if endpoint.AuthStyle, err = style(settings); err != nil {
		return nil, err
	}
	party.oauth = oauth2.Config{
		ClientID:     settings.ClientID,
		ClientSecret: settings.ClientSecret,
		Endpoint:     endpoint,
		RedirectURL:  settings.RedirectURI,
		Scopes:       strings.Fields(settings.Scope),
	}
	return party, nil
}

// Signature by the published keys, iss, aud, exp and at_hash; the nonce where there was one.
func (p *relyingParty) verify(ctx context.Context, token *oauth2.Token, nonce string) (object, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("no ID token came")
	}
	idToken, err := p.provider.VerifierContext(ctx, &oidc.Config{ClientID: p.settings.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, err
	}
	if nonce != "" && idToken.Nonce != nonce {
		return nil, errors.New("the ID token has another nonce")
	}
	claims := object{}
	return claims, idToken.Claims(&claims)
}

// A request by this client itself, as x/oauth2 offers none for introspection and revocation.
func (p *relyingParty) post(ctx context.Context, endpoint string, form url.Values) (*http.Response, error) {
	asHeader := p.settings.Authentication == "" || p.settings.Authentication == "client_secret_basic"
	if !asHeader {
		form.Set("client_id", p.settings.ClientID)
		if p.settings.ClientSecret != "" {
			form.Set("client_secret", p.settings.ClientSecret)
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if asHeader {
		request.SetBasicAuth(url.QueryEscape(p.settings.ClientID), url.QueryEscape(p.settings.ClientSecret))
	}
	answer, err := http.DefaultClient.Do(request)
	if err == nil && answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		err = fmt.Errorf("%s answers %s", endpoint, answer.Status)
	}
	return answer, err
}

func (p *relyingParty) introspect(ctx context.Context, token string) (object, error) {
	answer, err := p.post(ctx, p.endpoints.Introspection, url.Values{"token": {token}})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	found := object{}
	return found, json.NewDecoder(answer.Body).Decode(&found)
}

func (p *relyingParty) revoke(ctx context.Context, token string) error {
	answer, err := p.post(ctx, p.endpoints.Revocation, url.Values{"token": {token}})
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// A new set of tokens for a refresh token.
func (p *relyingParty) refresh(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	return p.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
}

// introspectAround looks at `accessToken`, revokes `token`, and looks again.
func (p *relyingParty) introspectAround(ctx context.Context, report object, accessToken, token string) (err error) {
	mayIntrospect := p.settings.Authentication != "none"
	if mayIntrospect {
		if report["introspection"], err = p.introspect(ctx, accessToken); err != nil {
			return err
		}
	}
	if err = p.revoke(ctx, token); err != nil || !mayIntrospect {
		return err
	}
	report["introspection_after_revocation"], err = p.introspect(ctx, accessToken)
	return err
}

// A person's login, up to the tokens.
func (p *relyingParty) exchange(ctx context.Context, nonce string) (*oauth2.Token, error) {
	state, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	fmt.Println(p.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	line, err := hear()
	if err != nil {
		return nil, err
	}
	callback, err := url.Parse(line)
	if err != nil {
		return nil, err
	}
	query := callback.Query()
	if query.Get("state") != state || query.Get("iss") != p.settings.Issuer {
		return nil, fmt.Errorf("not the answer to our request: %s", line)
	}
	return p.oauth.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(verifier))
}

// A person's login, and all that comes after it.
func (p *relyingParty) logIn(ctx context.Context) (object, error) {
	nonce := oauth2.GenerateVerifier()
	token, err := p.exchange(ctx, nonce)
	if err != nil {
		return nil, err
	}
	claims, err := p.verify(ctx, token, nonce)
	if err != nil {
		return nil, err
	}
	userinfo, err := p.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	if userinfo.Subject != claims["sub"] {
		return nil, errors.New("UserInfo is about somebody else")
	}
	said := object{}
	if err := userinfo.Claims(&said); err != nil {
		return nil, err
	}
	refreshed, err := p.refresh(ctx, token.RefreshToken)
	if err != nil {
		return nil, err
	}
	report := object{"claims": claims, "userinfo": said, "rotated": refreshed.RefreshToken != token.RefreshToken}
	if report["refreshed"], err = p.verify(ctx, refreshed, ""); err != nil {
		return nil, err
	}
	if err := p.introspectAround(ctx, report, refreshed.AccessToken, refreshed.RefreshToken); err != nil {
		return nil, err
	}
	report["refresh_after_revocation"], err = refusal(p.refresh(ctx, refreshed.RefreshToken))
	report["logout_url"] = p.endpoints.EndSession + "?" + url.Values{
		"id_token_hint":            {refreshed.Extra("id_token").(string)},
		"post_logout_redirect_uri": {p.settings.PostLogout},
		"state":                    {"signed-out"},
	}.Encode()
	return report, err
}

// The error of the token endpoint; nil where it took the token.
func refusal(_ *oauth2.Token, err error) (any, error) {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return refused.ErrorCode, nil
	}
	return nil, err
}

// A service in its own name.
func (p *relyingParty) actAlone(ctx context.Context) (object, error) {
	service := clientcredentials.Config{
		ClientID:     p.oauth.ClientID,
		ClientSecret: p.oauth.ClientSecret,
		TokenURL:     p.oauth.Endpoint.TokenURL,
		AuthStyle:    p.oauth.Endpoint.AuthStyle,
		Scopes:       p.oauth.Scopes,
	}
	token, err := service.Token(ctx)
	if err != nil {
		return nil, err
	}
	report := object{"expires_in": int(time.Until(token.Expiry).Seconds())}
	return report, p.introspectAround(ctx, report, token.AccessToken, token.AccessToken)
}

func run(ctx context.Context) error {
	line, err := hear()
	if err != nil {
		return err
	}
	var given settings
	if err := json.Unmarshal([]byte(line), &given); err != nil {
		return err
	}
	party, err := discover(ctx, given)
	if err != nil {
		return err
	}
	act := party.logIn
	if given.Grant == "client_credentials" {
		act = party.actAlone
	}
	report, err := act(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
