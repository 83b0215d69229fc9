// The orders API: a resource server that takes Claviger's access tokens.
//
//	GET  /orders    needs the scope orders:read
//	POST /orders    needs the scope orders:write
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"
)

func main() {
	var (
		listen   = setting("LISTEN", "127.0.0.1:8083")
		issuer   = setting("ISSUER", "http://127.0.0.1:8080/api/v1/auth/tenants/acme")
		audience = setting("AUDIENCE", "https://orders.shop.example")
		page     = setting("ALLOWED_ORIGIN", "http://127.0.0.1:8082")
	)
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	guard, err := discover(stop, issuer, audience)
	if err != nil {
		log.Fatal(err)
	}
	orders := &orders{numbers: []string{"1001", "1002"}}
	routes := http.NewServeMux()
	routes.Handle("GET /orders", guard.needs("orders:read", orders.list))
	routes.Handle("POST /orders", guard.needs("orders:write", orders.add))
	server := &http.Server{Addr: listen, Handler: allow(page, routes), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-stop.Done()
		_ = server.Close()
	}()
	log.Printf("the orders API for tokens of %s: http://%s/orders", issuer, listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// allow lets the pages of one origin call this from a browser (CORS). Tokens come in a header, never
// in a cookie, so no credentials are allowed.
func allow(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if r.Header.Get("Origin") == origin {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
				w.Header().Set("Access-Control-Allow-Headers", "Authorization")
				w.Header().Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// orders of everybody, lost when the program ends.
type orders struct {
	mutex   sync.Mutex
	numbers []string
}

func (o *orders) list(w http.ResponseWriter, caller caller) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	answer(w, http.StatusOK, map[string]any{"orders": o.numbers, "asked_by": caller.Subject})
}

func (o *orders) add(w http.ResponseWriter, caller caller) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	number := time.Now().UTC().Format("20060102150405")
	o.numbers = append(o.numbers, number)
	if len(o.numbers) > 10 {
		o.numbers = o.numbers[1:]
	}
	answer(w, http.StatusCreated, map[string]any{"order": number, "asked_by": caller.Subject})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
