package game

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// operate runs f inside the loop, in a tick of its own.
func (s *stage) operate(f func(tx Tx)) {
	s.t.Helper()
	if err := s.loop.Do(f); err != nil {
		s.t.Fatal(err)
	}
	s.tick(1)
}

func (s *stage) expectTold(want string) {
	s.t.Helper()
	if got := s.told(); got != want {
		s.t.Errorf("told\n%swant\n%s", got, want)
	}
}

// aTavern has ann and bob, far from each other, and a guest in it.
func aTavern(t *testing.T, cfg Config) *stage {
	s := newStage(t, cfg)
	s.join("ann", -2000, 0)
	s.join("bob", 2000, 0)
	s.guest("visitor")
	s.tick(1)
	s.told()
	return s
}

func TestTxSpeaks(t *testing.T) {
	s := aTavern(t, Config{})
	s.operate(func(tx Tx) { tx.Announce("closing at ten") })
	s.expectTold(`ann <- {"a":"Chat","p0":"[Server]","p1":"closing at ten"}
bob <- {"a":"Chat","p0":"[Server]","p1":"closing at ten"}
visitor <- {"a":"Chat","p0":"[Server]: closing at ten"}
`)
	s.operate(func(tx Tx) {
		tx.Tell(s.players["bob"], "psst")
		tx.Tell(s.players["visitor"], "hello")
	})
	s.expectTold(`bob <- {"a":"Chat","p0":"[Server]","p1":"psst"}
visitor <- {"a":"Chat","p0":"[Server]: hello"}
`)
	s.leave("bob")
	s.tick(1)
	s.operate(func(tx Tx) { tx.Tell(s.players["bob"], "too late") })
	s.expectTold("")
}

func TestTxSeesEverybody(t *testing.T) {
	s := aTavern(t, Config{})
	s.operate(func(tx Tx) {
		var names []string
		tx.Players(func(i Info) {
			names = append(names, i.Name)
			if i.Player != s.players[i.Name] || i.ID != s.ids[i.Name] || i.X == 0 || tx.Find(i.ID) != i.Player {
				t.Errorf("%+v", i)
			}
		})
		slices.Sort(names)
		if !slices.Equal(names, []string{"ann", "bob"}) {
			t.Errorf("the players are %v", names)
		}
		guests := 0
		tx.Guests(func(i Info) bool {
			guests++
			if i.Name != "guest-1" || i.ID != 0 || i.Player != s.players["visitor"] {
				t.Errorf("%+v", i)
			}
			return true
		})
		if guests != 1 || tx.Guest(1) != s.players["visitor"] || tx.Guest(2) != nil || tx.Find(99) != nil {
			t.Error("somebody is there who is not, or the other way round")
		}
	})
	s.join("visitor", 0, 0) // logs in
	s.tick(1)
	s.operate(func(tx Tx) {
		if tx.Guest(1) != nil {
			t.Error("who has logged in is still a guest")
		}
	})
	s.leave("visitor")
	s.guest("second")
	s.tick(1)
	s.leave("second")
	s.tick(1)
	if n := s.loop.Stats().Guests.Load(); n != 0 {
		t.Errorf("%d guests are left", n)
	}
}

// TestTxPagesPlayers: page by page everybody comes once.
func TestTxPagesPlayers(t *testing.T) {
	s := newStage(t, Config{})
	for i := range 10 {
		s.join(fmt.Sprint("p", i), 0, 0)
	}
	s.tick(1)
	for n := 1; n <= 11; n++ {
		seen, pages := make(map[int64]int), 0
		for from := 0; from >= 0; pages++ {
			s.operate(func(tx Tx) { from = tx.PlayersFrom(from, n, func(i Info) { seen[i.ID]++ }) })
		}
		if len(seen) != 10 || pages != (10+n-1)/n {
			t.Errorf("by %d: %d players on %d pages", n, len(seen), pages)
		}
	}
	s.operate(func(tx Tx) {
		if next := tx.PlayersFrom(99, 5, func(Info) { t.Error("somebody is beyond the end") }); next != -1 {
			t.Errorf("beyond the end comes %d", next)
		}
	})
	for range 2 {
		s.guest("visitor")
	}
	s.tick(1)
	s.operate(func(tx Tx) {
		guests := 0
		tx.Guests(func(Info) bool { guests++; return false })
		if guests != 1 {
			t.Errorf("%d guests after the first was enough", guests)
		}
	})
}

func TestTxMutes(t *testing.T) {
	s := aTavern(t, Config{})
	s.operate(func(tx Tx) { tx.Mute(s.players["ann"], time.Now().Add(time.Hour)) })
	s.offer("ann", `{"a":"Chat","p0":"ann","p1":"can you hear me?"}`)
	s.tick(1)
	if got := s.told(); !strings.HasPrefix(got, `ann <- {"a":"Deny","p0":"You are muted for another `) || strings.Count(got, "\n") != 1 {
		t.Errorf("told %s", got)
	}
	if n := s.loop.Stats().Denies[IsMuted].Load(); n != 1 {
		t.Errorf("%d denies counted, want 1", n)
	}
	s.operate(func(tx Tx) { tx.Mute(s.players["ann"], time.Time{}) })
	s.offer("ann", `{"a":"Chat","p0":"ann","p1":"and now?"}`)
	s.tick(1)
	s.expectTold(`bob <- {"a":"Chat","p0":"ann","p1":"and now?"}
visitor <- {"a":"Chat","p0":"ann: and now?"}
`)
}

// TestCommands: what begins with a slash is for Config.Command and for nobody else.
func TestCommands(t *testing.T) {
	var got []Command
	room := 2
	s := aTavern(t, Config{Command: func(c Command) bool {
		got = append(got, c)
		room--
		return room >= 0
	}})
	s.offer("ann", `{"a":"Chat","p0":"bob","p1":"/kick bob"}`)
	s.tick(1)
	s.operate(func(tx Tx) { tx.SetModerator(s.players["ann"], true) })
	s.offer("ann", `{"a":"Chat","p0":"ann","p1":"/kick bob"}`)
	s.tick(1)
	s.offer("visitor", `{"a":"Chat","p0":"/help"}`)
	s.tick(1)
	s.expectTold(`visitor <- {"a":"Deny","p0":"The server is busy, try again in a moment"}
`)
	if n := s.loop.Stats().Denies[CommandsFull].Load(); n != 1 {
		t.Errorf("%d denies counted, want 1", n)
	}
	want := []Command{
		{Player: s.players["ann"], ID: s.ids["ann"], Name: "ann", Text: "/kick bob"},
		{Player: s.players["ann"], ID: s.ids["ann"], Name: "ann", Text: "/kick bob", Moderator: true},
		{Player: s.players["visitor"], Name: "guest-1", Text: "/help"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTxLimitsChat(t *testing.T) {
	s := aTavern(t, Config{})
	s.operate(func(tx Tx) { tx.LimitChat(1, 2) })
	for range 4 {
		s.offer("ann", `{"a":"Chat","p0":"ann","p1":"hm"}`)
	}
	s.tick(1)
	s.expectTold(`ann <- {"a":"Deny","p0":"You are talking too fast"}
bob <- {"a":"Chat","p0":"ann","p1":"hm"}
bob <- {"a":"Chat","p0":"ann","p1":"hm"}
visitor <- {"a":"Chat","p0":"ann: hm"}
visitor <- {"a":"Chat","p0":"ann: hm"}
`)
}

// TestDoIsBounded: who asks for too much between two ticks is refused and counted,
// and what was taken runs in the next tick, also what asks for more.
func TestDoIsBounded(t *testing.T) {
	s := newStage(t, Config{})
	ran := 0
	var again func(Tx)
	again = func(Tx) {
		ran++
		if err := s.loop.Do(again); err != nil {
			t.Error(err)
		}
	}
	if err := s.loop.Do(again); err != nil {
		t.Fatal(err)
	}
	s.tick(3)
	if ran != 3 {
		t.Errorf("a function that asks for itself ran %d times in 3 ticks", ran)
	}
	for i := range maxAsked - 1 {
		if err := s.loop.Do(func(Tx) {}); err != nil {
			t.Fatalf("request %d is refused: %v", i, err)
		}
	}
	if err := s.loop.Do(func(Tx) {}); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	if n := s.loop.Stats().AskedFull.Load(); n != 1 {
		t.Errorf("AskedFull = %d, want 1", n)
	}
}
