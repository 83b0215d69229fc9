package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A JWK Set that cannot be fetched for so long is a failure.
const patience = 15 * time.Second

// Every fetch has a connection of its own, so that each may come to another pod.
var caller = http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// A JWK Set, and for how long it may be kept.
type cache struct {
	issuer, uri, etag string
	set               jose.JSONWebKeySet
	since             time.Time
	keep              time.Duration
}

// Does nothing for as long as the JWK Set may be kept.
func (c *cache) refresh() error {
	if !c.since.IsZero() && time.Since(c.since) < c.keep {
		return nil
	}
	if c.uri == "" {
		var metadata struct {
			JwksURI string `json:"jwks_uri"`
		}
		_, body, err := fetch(c.issuer+"/.well-known/openid-configuration", "")
		if err != nil {
			return err
		}
		if err := json.Unmarshal(body, &metadata); err != nil {
			return err
		}
		c.uri = metadata.JwksURI
	}
	answer, body, err := fetch(c.uri, c.etag)
	if err != nil {
		return err
	}
	if answer.StatusCode == http.StatusOK {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(body, &set); err != nil {
			return err
		}
		if len(set.Keys) == 0 {
			return errors.New("the JWK Set is empty")
		}
		c.set, c.etag = set, answer.Header.Get("ETag")
	}
	c.since, c.keep = time.Now(), maxAge(answer.Header.Get("Cache-Control"))
	fetched.Add(1)
	return nil
}

// Connections may fail, for pods are killed, but an answer has to be good.
func fetch(url, etag string) (*http.Response, []byte, error) {
	end := time.Now().Add(patience)
	for {
		answer, body, err := ask(url, etag)
		if err == nil && answer.StatusCode != http.StatusOK && (etag == "" || answer.StatusCode != http.StatusNotModified) {
			return nil, nil, fmt.Errorf("%s answered %s", url, answer.Status)
		}
		if err == nil || time.Now().After(end) {
			return answer, body, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func ask(url, etag string) (*http.Response, []byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	answer, err := caller.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// For how long an answer may be kept: not at all without a word.
func maxAge(cacheControl string) time.Duration {
	var age time.Duration
	for _, part := range strings.Split(cacheControl, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		if part == "no-store" || part == "no-cache" {
			return 0
		}
		if seconds, found := strings.CutPrefix(part, "max-age="); found {
			if number, err := strconv.Atoi(seconds); err == nil {
				age = time.Duration(number) * time.Second
			}
		}
	}
	return age
}
