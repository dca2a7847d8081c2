package game

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tavern/codec"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// fakeConn is a connection whose client has read everything: it splits what was
// written into packets.
type fakeConn struct {
	t       testing.TB
	packets []string
	writes  int
	closed  int
	pending int
}

func (c *fakeConn) Write(b []byte) error {
	c.writes++
	for len(b) > 0 {
		if b[0] != 0x81 {
			c.t.Fatalf("frame begins with %#x, want a final text frame", b[0])
		}
		n, head := int(b[1]), 2
		switch n {
		case 126:
			n, head = int(b[2])<<8|int(b[3]), 4
		case 127:
			c.t.Fatalf("a frame of more than 64 KiB")
		}
		c.packets = append(c.packets, string(b[head:head+n]))
		b = b[head+n:]
	}
	return nil
}

func (c *fakeConn) Pending() int             { return c.pending }
func (c *fakeConn) Close(code int, _ string) { c.closed = code }

func (c *fakeConn) take() []string {
	p := c.packets
	c.packets = nil
	return p
}

// fakeAccounts remembers what the loop saved and released.
type fakeAccounts struct {
	saved    map[int64][2]float64
	released map[int64]int
}

func newFakeAccounts() *fakeAccounts {
	return &fakeAccounts{map[int64][2]float64{}, map[int64]int{}}
}

func (f *fakeAccounts) Save(id int64, x, y float64) { f.saved[id] = [2]float64{x, y} }
func (f *fakeAccounts) Release(id int64)            { f.released[id]++ }

// stage runs a loop by hand: its ticks and its writers' visits, without sockets,
// goroutines or clocks.
type stage struct {
	t        testing.TB
	loop     *Loop
	accounts *fakeAccounts
	names    []string
	players  map[string]*Player
	conns    map[string]*fakeConn
	ids      map[string]int64
}

func newStage(t testing.TB, cfg Config) *stage {
	t.Helper()
	acc := newFakeAccounts()
	cfg.Accounts = acc
	return &stage{
		t: t, loop: New(cfg), accounts: acc,
		players: map[string]*Player{}, conns: map[string]*fakeConn{}, ids: map[string]int64{},
	}
}

func (s *stage) conn(name string) *fakeConn {
	c := &fakeConn{t: s.t}
	if s.conns[name] == nil {
		s.names = append(s.names, name)
	}
	s.conns[name] = c
	s.players[name] = new(Player)
	return c
}

func (s *stage) guest(name string) { c := s.conn(name); s.loop.EnterGuest(s.players[name], c) }

func (s *stage) join(name string, x, y float64, first ...codec.Packet) {
	p, c := s.players[name], s.conns[name]
	if p == nil || p.gone || p.actor != nil {
		c = s.conn(name)
		p = s.players[name]
	}
	id := s.ids[name]
	if id == 0 {
		id = int64(len(s.ids) + 1)
		s.ids[name] = id
	}
	s.loop.Enter(p, c, Account{ID: id, Name: name, X: x, Y: y}, first)
}

func (s *stage) offer(name, packet string) bool {
	s.t.Helper()
	p, err := codec.Decode([]byte(packet))
	if err != nil {
		s.t.Fatalf("offer %s %s: %v", name, packet, err)
	}
	return s.loop.Offer(s.players[name], p)
}

func (s *stage) leave(name string) { s.loop.Leave(s.players[name]) }

func (s *stage) tick(n int) {
	for range n {
		s.loop.tick()
		s.loop.writers.Step()
	}
}

// do runs one line of a scenario.
func (s *stage) do(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	name, rest, _ := strings.Cut(rest, " ")
	switch word {
	case "config": // before anything else
		var cfg Config
		for _, kv := range append([]string{name}, strings.Fields(rest)...) {
			k, v, _ := strings.Cut(kv, "=")
			n, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return err
			}
			switch k {
			case "cell":
				cfg.Cell = n
			case "view":
				cfg.View = int(n)
			case "speed":
				cfg.Speed = n
			case "chat-rate":
				cfg.ChatRate = n
			case "chat-range":
				cfg.ChatRange = n
			case "chat-burst":
				cfg.ChatBurst = int(n)
			default:
				return fmt.Errorf("no setting %q", k)
			}
		}
		*s = *newStage(s.t, cfg)
	case "join":
		var x, y float64
		if _, err := fmt.Sscanf(rest, "%g,%g", &x, &y); err != nil {
			return err
		}
		s.join(name, x, y)
	case "guest":
		s.guest(name)
	case "offer":
		s.offer(name, rest)
	case "leave":
		s.leave(name)
	case "tick":
		n := 1
		if name != "" {
			var err error
			if n, err = strconv.Atoi(name); err != nil {
				return err
			}
		}
		s.tick(n)
	default:
		return fmt.Errorf("no command %q", word)
	}
	return nil
}

// told lists what everybody was sent since the last call, by name in the order
// of their first appearance.
func (s *stage) told() string {
	var b strings.Builder
	for _, name := range s.names {
		for _, p := range s.conns[name].take() {
			if !json.Valid([]byte(p)) {
				s.t.Errorf("%s was sent invalid JSON: %s", name, p)
			}
			fmt.Fprintf(&b, "%s <- %s\n", name, p)
		}
	}
	return b.String()
}

// TestScenarios runs every script in testdata: blocks of commands, a line of
// dashes, and exactly what everybody is sent because of them.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScenario(t, string(text))
			if got == string(text) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, text)
		})
	}
}

func runScenario(t *testing.T, text string) string {
	t.Helper()
	s := newStage(t, Config{})
	var out strings.Builder
	expecting := false
	for _, line := range strings.SplitAfter(text, "\n") {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case bare == "----":
			out.WriteString("----\n" + s.told())
			expecting = true
		case bare == "":
			expecting = false
			out.WriteString(line)
		case strings.HasPrefix(bare, "#"):
			out.WriteString(line)
		case expecting: // an expectation, written afresh
		default:
			out.WriteString(line)
			if err := s.do(bare); err != nil {
				t.Fatalf("%s: %v", bare, err)
			}
		}
	}
	if rest := s.told(); rest != "" {
		t.Errorf("told after the last expectation:\n%s", rest)
	}
	return out.String()
}
