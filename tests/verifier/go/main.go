// keep_verifying [--copies N]
//
// Verifies every JWT that it is given, with go-jose, as N resource servers would that keep a JWK
// Set exactly as long as its Cache-Control says: never longer, never shorter, and an unknown kid is
// no reason to look again. It asks again with If-None-Match. Each token is verified at once, and
// again a second before it expires.
//
// It reads and prints what keep_verifying.py does.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// So much later each further copy begins: caches that are filled at the same times notice no more
// than one.
const apart = 370 * time.Millisecond

type work struct {
	token, note string
	last        bool
}

type counts struct {
	Verified int64 `json:"verified"`
	Failed   int64 `json:"failed"`
	Late     int64 `json:"late"`
	Fetched  int64 `json:"fetched"`
	Done     bool  `json:"done,omitempty"`
}

var (
	verified, failed, late, fetched atomic.Int64
	printing                        sync.Mutex
)

func tell(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(text))
}

func count() counts {
	return counts{Verified: verified.Load(), Failed: failed.Load(), Late: late.Load(), Fetched: fetched.Load()}
}

func main() {
	copies := flag.Int("copies", 1, "independent caches of each issuer")
	flag.Parse()
	go func() {
		for range time.Tick(time.Second) {
			tell(count())
		}
	}()
	servers := map[string][]*resourceServer{}
	var running sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var given struct{ Issuer, Token, Note string }
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			panic(err)
		}
		if servers[given.Issuer] == nil {
			for number := range *copies {
				server := newResourceServer(given.Issuer)
				servers[given.Issuer] = append(servers[given.Issuer], server)
				running.Go(func() {
					time.Sleep(time.Duration(number) * apart)
					server.run()
				})
			}
		}
		for _, server := range servers[given.Issuer] {
			server.put(time.Now(), work{given.Token, given.Note, false})
		}
	}
	for _, each := range servers {
		for _, server := range each {
			server.end()
		}
	}
	running.Wait()
	last := count()
	last.Done = true
	tell(last)
}
