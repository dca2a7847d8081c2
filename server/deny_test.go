package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// TestDeny asks for what no account may have, and hears why not.
func TestDeny(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, _ := enter(t, s, "Ann")
	for i, c := range []struct{ name, packet, reason string }{
		{"taken", `{"a":"Register","p0":"Ann","p1":"x"}`, "This username is already taken"},
		{"taken, but for case", `{"a":"Register","p0":"aNN","p1":"x"}`, "This username is already taken"},
		{"taken, but for width", `{"a":"Register","p0":"Ａnn","p1":"x"}`, "This username is already taken"},
		{"no username", `{"a":"Register","p0":"","p1":"x"}`, "Username or password must not be empty"},
		{"no password", `{"a":"Register","p0":"ben","p1":""}`, "Username or password must not be empty"},
		{"username too long", `{"a":"Register","p0":"` + strings.Repeat("n", 33) + `","p1":"x"}`, "Username must not be longer than 32 characters"},
		{"username far too long", `{"a":"Register","p0":"` + strings.Repeat("n", 200) + `","p1":"x"}`, "This username is too long"},
		{"username of symbols", `{"a":"Register","p0":"b<b>","p1":"x"}`, "Username may only contain letters, digits, spaces and _ - ."},
		{"username with two spaces", `{"a":"Register","p0":"b  b","p1":"x"}`, "Username may only have single spaces, and between other characters"},
		{"username that begins with a space", `{"a":"Register","p0":" b","p1":"x"}`, "Username may only have single spaces, and between other characters"},
		{"password too long", `{"a":"Register","p0":"ben","p1":"` + strings.Repeat("n", 257) + `"}`, "This password is too long"},
		{"no such avatar", `{"a":"Register","p0":"ben","p1":"x","p2":6}`, "There is no such avatar"},
		{"login without username", `{"a":"Login","p0":"","p1":"x"}`, "Username or password must not be empty"},
		{"login without password", `{"a":"Login","p0":"Ann","p1":""}`, "Username or password must not be empty"},
		{"login of nobody", `{"a":"Login","p0":"nobody","p1":"x"}`, "Username or password incorrect"},
		{"login with a wrong password", `{"a":"Login","p0":"Ann","p1":"pw of ann"}`, "Username or password incorrect"},
		{"login of one who is here", `{"a":"Login","p0":"Ann","p1":"pw of Ann"}`, "You are already logged in"},
		{"login of one who is here, in another case", `{"a":"Login","p0":"ANN","p1":"pw of Ann"}`, "You are already logged in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, s)
			p.say("%s", c.packet)
			p.expect(fmt.Sprintf(`{"a":"Deny","p0":%q}`, c.reason))
			p.register(fmt.Sprintf("after %d", i)) // the connection is as good as before
		})
	}

	// Nothing of it reached her.
	ann.ping()
	if n := len(ann.soFar()); n != ann.read {
		t.Errorf("Ann heard %v", ann.soFar()[ann.read:])
	}

	// Who is in is asked for no account any more.
	ann.say(`{"a":"Login","p0":"Ann","p1":"pw of Ann"}`)
	ann.say(`{"a":"Register","p0":"other","p1":"x"}`)
	ann.ping()
	if n := len(ann.soFar()); n != ann.read {
		t.Errorf("Ann heard %v", ann.soFar()[ann.read:])
	}
}

// TestDenyBusy registers more accounts at once than can wait: some are told that
// the server is busy, all others are there, and who was refused may ask again.
func TestDenyBusy(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-limits", "off", "-hash-memory", "8192")
	const many = 330 // the queue holds 256
	peers := make([]*peer, many)
	for i := range peers {
		peers[i] = connect(t, s)
	}
	var all sync.WaitGroup
	for i, p := range peers {
		all.Go(func() { p.say(`{"a":"Register","p0":"p%d","p1":"pw of p%d"}`, i, i) })
	}
	all.Wait()
	var granted, busy []int
	for i, p := range peers {
		switch h := p.must(); {
		case h.action == "Ok":
			granted = append(granted, i)
		case h.action == "Deny" && text(h.p0) == "The server is busy, try again in a moment":
			busy = append(busy, i)
		default:
			t.Errorf("p%d hears %s", i, h.raw)
		}
	}
	if len(busy) == 0 || len(granted) < 256 {
		t.Fatalf("%d granted and %d refused, want some refused and no less than the queue granted", len(granted), len(busy))
	}
	for _, i := range granted[:5] {
		peers[i].login(fmt.Sprintf("p%d", i))
	}
	peers[busy[0]].register(fmt.Sprintf("p%d", busy[0]))
}

// TestGoneBeforeTheirTurn registers accounts and leaves while they wait: no
// password is hashed for those who have gone.
func TestGoneBeforeTheirTurn(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-limits", "off", "-hash-memory", "65536", "-hash-time", "2")
	const many = 24
	last := connect(t, s)
	for i := range many {
		p := connect(t, s)
		p.say(`{"a":"Register","p0":"p%d","p1":"x"}`, i)
		p.close(websocket.StatusNormalClosure)
	}
	last.register("last") // their turn was before
	made, err := strconv.Atoi(s.metric(t, "account_registered_total"))
	if err != nil || made > many/2 {
		t.Errorf("%d accounts were made, want only those that were begun before their client left", made)
	}
}
