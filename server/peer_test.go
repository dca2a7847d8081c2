package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// peer is a client of the server: a WebSocket library that is not ours, and the
// connection below it for what no library would send. A goroutine of its own
// hears everything and checks it (see sight). The other methods belong to one
// goroutine, the test's if they may end it.
type peer struct {
	t    testing.TB
	name string // of the account, for messages
	ws   *websocket.Conn
	tcp  *net.TCPConn

	news chan struct{} // holds one token: something was heard
	gone chan struct{} // closed when nothing more will be heard

	mu    sync.Mutex
	heard []heard
	sight sight
	err   error // why the connection ended

	read int // how many of heard the test has taken
}

// connect opens a connection and closes it when the test ends.
func connect(t testing.TB, s *testServer) *peer {
	t.Helper()
	p, err := dial(t, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// dial is connect where a refusal is no failure. Any goroutine.
func dial(t testing.TB, addr string) (*peer, error) {
	return dialBy(t, "ws://"+addr+"/", new(net.Dialer), addr, nil, nil)
}

// dialBy is dial of a URL whose host is found at addr. pinged, if there, hears of
// every ping.
func dialBy(t testing.TB, url string, way *net.Dialer, addr string, secure *tls.Config, pinged func()) (*peer, error) {
	p := &peer{t: t, name: "?", news: make(chan struct{}, 1), gone: make(chan struct{})}
	p.sight.known = make(map[int64]point)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		c, err := way.DialContext(ctx, network, addr)
		if err == nil {
			p.tcp = c.(*net.TCPConn)
		}
		return c, err
	}, TLSClientConfig: secure, DisableKeepAlives: true}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
		OnPingReceived: func(context.Context, []byte) bool {
			if pinged != nil {
				pinged()
			}
			return true // answer it
		},
	})
	if err != nil {
		return nil, err
	}
	p.ws = ws
	ws.SetReadLimit(1 << 20)
	go p.listen()
	t.Cleanup(func() {
		_ = ws.CloseNow()
		<-p.gone
	})
	return p, nil
}

// listen hears until the connection ends.
func (p *peer) listen() {
	defer close(p.gone)
	for {
		kind, data, err := p.ws.Read(context.Background())
		p.mu.Lock()
		if err != nil {
			p.err = err
			p.mu.Unlock()
			return
		}
		h, wrong := hear(string(data))
		if wrong == nil {
			wrong = p.sight.see(&h)
		}
		if wrong == nil && kind != websocket.MessageText {
			wrong = fmt.Errorf("%s: in a binary message", data)
		}
		if wrong != nil {
			p.t.Errorf("%s hears %v", p.name, wrong)
		}
		p.heard = append(p.heard, h)
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default: // a token is there
		}
	}
}

// next takes the next packet. It returns an error when the connection ends, or
// nothing comes for too long.
func (p *peer) next() (heard, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		if p.read < len(p.heard) {
			p.read++
			h := p.heard[p.read-1]
			p.mu.Unlock()
			return h, nil
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-p.gone:
			p.mu.Lock()
			err, all := p.err, p.read == len(p.heard)
			p.mu.Unlock()
			if all {
				return heard{}, fmt.Errorf("%s: the connection has ended: %w", p.name, err)
			}
		case <-timeout.C:
			return heard{}, fmt.Errorf("%s heard nothing for %v", p.name, patience)
		}
	}
}

// must takes the next packet.
func (p *peer) must() heard {
	p.t.Helper()
	h, err := p.next()
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

// expect takes the next packet, which must mean the same as want.
func (p *peer) expect(want string) {
	p.t.Helper()
	if h := p.must(); !sameJSON(h.raw, want) {
		p.t.Fatalf("%s hears %s, want %s", p.name, h.raw, want)
	}
}

// await takes packets up to the first that is wanted, and returns that.
func (p *peer) await(what string, wanted func(*heard) bool) heard {
	p.t.Helper()
	for {
		h, err := p.next()
		if err != nil {
			p.t.Fatalf("while waiting for %s: %v", what, err)
		}
		if wanted(&h) {
			return h
		}
	}
}

// awaitChat waits for "sender: text".
func (p *peer) awaitChat(line string) {
	p.t.Helper()
	p.await(line, func(h *heard) bool { return h.chat() == line })
}

// awaitActor waits until an actor is somewhere, by full model or delta.
func (p *peer) awaitActor(id int64, at point) {
	p.t.Helper()
	p.await(fmt.Sprintf("actor %d at %v", id, at), func(h *heard) bool {
		m, ok := h.model()
		return ok && m.ID == id && m.at() == at
	})
}

// awaitGone waits for the Disconnect of an actor.
func (p *peer) awaitGone(id int64) {
	p.t.Helper()
	p.await(fmt.Sprintf("Disconnect of %d", id), func(h *heard) bool { return h.action == "Disconnect" && h.actor() == id })
}

// wait waits until all that was heard meets a condition.
func (p *peer) wait(what string, cond func([]heard) bool) {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for !cond(p.soFar()) {
		select {
		case <-p.news:
		case <-p.gone:
			if !cond(p.soFar()) {
				p.t.Fatalf("%s: the connection has ended before %s", p.name, what)
			}
			return
		case <-timeout.C:
			p.t.Fatalf("%s waited in vain for %s; heard %s", p.name, what, p.lastWords())
		}
	}
}

// lastWords is the end of what was heard, for messages.
func (p *peer) lastWords() string {
	all := p.soFar()
	words := ""
	for _, h := range all[max(0, len(all)-5):] {
		words += "\n\t" + h.raw
	}
	return words
}

// soFar returns everything heard up to now.
func (p *peer) soFar() []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

// say sends a packet as a text message, as browsers and Godot 4 do.
func (p *peer) say(format string, args ...any) {
	p.t.Helper()
	p.send(websocket.MessageText, fmt.Sprintf(format, args...))
}

// sayBinary sends a packet as a binary message, as Godot 3 does.
func (p *peer) sayBinary(format string, args ...any) {
	p.t.Helper()
	p.send(websocket.MessageBinary, fmt.Sprintf(format, args...))
}

func (p *peer) send(kind websocket.MessageType, packet string) {
	p.t.Helper()
	if err := p.trySend(kind, packet); err != nil {
		p.t.Errorf("%s cannot send %s: %v", p.name, packet, err)
	}
}

// trySend is send to a server that may be gone.
func (p *peer) trySend(kind websocket.MessageType, packet string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.ws.Write(ctx, kind, []byte(packet))
}

// raw sends bytes as they are, in one segment if they are few.
func (p *peer) raw(b []byte) {
	p.t.Helper()
	if _, err := p.tcp.Write(b); err != nil {
		p.t.Errorf("%s cannot send: %v", p.name, err)
	}
}

// ping returns when the server has handled everything that was sent before.
func (p *peer) ping() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.ws.Ping(ctx); err != nil {
		p.t.Fatalf("%s: no pong: %v", p.name, err)
	}
}

// register makes an account with the password "pw of" its name.
func (p *peer) register(name string) {
	p.t.Helper()
	p.say(`{"a":"Register","p0":%q,"p1":%q}`, name, "pw of "+name)
	p.expect(`{"a":"Ok"}`)
}

// sendLogin asks to be let in. From now on a model may come.
func (p *peer) sendLogin(name string) {
	p.t.Helper()
	p.mu.Lock()
	p.name, p.sight.loggedIn = name, true
	p.mu.Unlock()
	p.say(`{"a":"Login","p0":%q,"p1":%q}`, name, "pw of "+name)
}

// login enters the world: Ok, and at once its own full model, which it returns.
func (p *peer) login(name string) model {
	p.t.Helper()
	p.sendLogin(name)
	p.expect(`{"a":"Ok"}`)
	return p.ownModel()
}

// ownModel takes the full model that follows the Ok.
func (p *peer) ownModel() model {
	p.t.Helper()
	h := p.must()
	m, ok := h.model()
	if !ok || m.name() != p.name {
		p.t.Fatalf("%s hears %s after its login, want its own model", p.name, h.raw)
	}
	return m
}

// ownID is the id of its actor, 0 before it was told.
func (p *peer) ownID() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sight.own
}

// enter connects, registers and logs in.
func enter(t testing.TB, s *testServer, name string) (*peer, model) {
	t.Helper()
	p := connect(t, s)
	p.register(name)
	return p, p.login(name)
}

// close says goodbye and waits for the answer.
func (p *peer) close(code websocket.StatusCode) {
	p.t.Helper()
	p.raw(closing(int(code))) // the library's Close would not hear what comes before the answer
	if got := p.ended(); got != code {
		p.t.Errorf("%s closed with %d and the server answered %d", p.name, code, got)
	}
}

// ended waits for the end of the connection and returns its close code, -1 when
// there was none.
func (p *peer) ended() websocket.StatusCode {
	p.t.Helper()
	select {
	case <-p.gone:
	case <-time.After(patience):
		p.t.Fatalf("%s: the server does not close", p.name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return websocket.CloseStatus(p.err)
}
