package main

import (
	"container/heap"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A token is looked at for the last time so long before it expires.
const beforeTheEnd = time.Second

// What an outside verifier may accept: asymmetric only, so that a public key is never a secret.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA}

// One issuer's tokens, and one cache of its JWK Set.
type resourceServer struct {
	issuer string
	keys   cache
	mutex  sync.Mutex
	queue  queue
	over   bool
	wake   chan struct{}
}

func newResourceServer(issuer string) *resourceServer {
	return &resourceServer{issuer: issuer, keys: cache{issuer: issuer}, wake: make(chan struct{}, 1)}
}

func (s *resourceServer) put(at time.Time, w work) {
	s.mutex.Lock()
	heap.Push(&s.queue, entry{at, w})
	s.mutex.Unlock()
	s.signal()
}

func (s *resourceServer) end() {
	s.mutex.Lock()
	s.over = true
	s.mutex.Unlock()
	s.signal()
}

func (s *resourceServer) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *resourceServer) run() {
	for {
		w, wait, over := s.take()
		switch {
		case w != nil:
			s.look(*w)
		case over:
			return
		default:
			select {
			case <-s.wake:
			case <-time.After(wait):
			}
		}
	}
}

// What is due, or how long until something is.
func (s *resourceServer) take() (*work, time.Duration, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.queue) == 0 {
		return nil, time.Hour, s.over
	}
	if wait := time.Until(s.queue[0].at); wait > 0 {
		return nil, wait, false
	}
	due := heap.Pop(&s.queue).(entry)
	return &due.work, 0, false
}

func (s *resourceServer) look(w work) {
	defer verified.Add(1)
	token, err := jwt.ParseSigned(w.token, algorithms)
	if err != nil {
		failed.Add(1)
		tell(map[string]any{"failure": err.Error(), "note": w.note})
		return
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil || claims.Expiry == nil {
		failed.Add(1)
		tell(map[string]any{"failure": fmt.Sprint("no claims: ", err), "note": w.note})
		return
	}
	if !w.last {
		s.put(claims.Expiry.Time().Add(-beforeTheEnd), work{w.token, w.note, true})
	}
	if err := s.verify(token, claims.Expiry.Time()); err != nil {
		failed.Add(1)
		s.complain(err, token, claims, w)
	}
}

func (s *resourceServer) verify(token *jwt.JSONWebToken, expiry time.Time) error {
	if err := s.keys.refresh(); err != nil {
		return err
	}
	kid := token.Headers[0].KeyID
	found := s.keys.set.Key(kid)
	if len(found) != 1 {
		return fmt.Errorf("the kid %s is unknown", kid)
	}
	if found[0].Algorithm != token.Headers[0].Algorithm {
		return fmt.Errorf("the key is for %s", found[0].Algorithm)
	}
	now := time.Now()
	if !now.Before(expiry.Add(-50 * time.Millisecond)) {
		late.Add(1)
		now = expiry.Add(-time.Second)
	}
	var claims jwt.Claims
	if err := token.Claims(found[0].Key, &claims); err != nil {
		return err
	}
	return claims.ValidateWithLeeway(jwt.Expected{Issuer: s.issuer, Time: now}, 0)
}

func (s *resourceServer) complain(err error, token *jwt.JSONWebToken, claims jwt.Claims, w work) {
	moment := "when it is issued"
	if w.last {
		moment = "before it expires"
	}
	var kids []string
	for _, key := range s.keys.set.Keys {
		kids = append(kids, key.KeyID)
	}
	slices.Sort(kids)
	header := token.Headers[0]
	tell(map[string]any{
		"failure": err.Error(),
		"moment":  moment,
		"header":  map[string]any{"kid": header.KeyID, "alg": header.Algorithm},
		"claims":  claims,
		"now":     float64(time.Now().UnixMilli()) / 1000,
		"note":    w.note,
		"cached": map[string]any{
			"kids":                kids,
			"fetched_seconds_ago": time.Since(s.keys.since).Seconds(),
			"max_age":             s.keys.keep.Seconds(),
		},
	})
}

type entry struct {
	at   time.Time
	work work
}

type queue []entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
