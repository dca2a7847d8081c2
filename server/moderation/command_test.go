package moderation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tavern/game"
	"tavern/game/account"
)

type tx = game.Tx

func accountOf(id int64, name string) game.Account { return game.Account{ID: id, Name: name} }

func prefixed(s, with string) bool { return strings.HasPrefix(s, with) }
func suffixed(s, with string) bool { return strings.HasSuffix(s, with) }

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestCommandsForEverybody: what players and guests may say, and what they hear
// when they try more.
func TestCommandsForEverybody(t *testing.T) {
	v := newTavern(t)
	bob, zoe, guest := v.enter("bob"), v.enter("Zoe"), v.guest("198.51.100.7")
	for _, c := range []struct {
		name, says string
		want       []string
	}{
		{"help", "/help", []string{"/help - this list", "/who [PART OF A NAME] - who is here"}},
		{"capitals", "/HELP me", []string{"/help - this list", "/who [PART OF A NAME] - who is here"}},
		{"who", "/who", []string{"2 players: bob, Zoe; 1 guest"}},
		{"who of them", "/who OB", []string{"1 player: bob"}},
		{"who, nobody", "/who xyz", []string{"0 players"}},
		{"unknown", "/dance on the table", []string{"There is no command /dance: /help lists them"}},
		{"nothing", "/", []string{"There is no command /: /help lists them"}},
		{"kick", "/kick Zoe", []string{"Only moderators can do that"}},
		{"ban", "/ban Zoe 3 spam", []string{"Only moderators can do that"}},
		{"announce", "/announce free beer", []string{"Only moderators can do that"}},
	} {
		for _, p := range []*visitor{bob, guest} {
			t.Run(c.name+" by "+p.name, func(t *testing.T) {
				p.says(c.says)
				for _, line := range c.want {
					p.hears("[Server]: " + line)
				}
			})
		}
	}
	bob.says("hello")
	zoe.hears("bob: hello")
	zoe.mu.Lock()
	defer zoe.mu.Unlock()
	if len(zoe.lines) > 0 || zoe.code != 0 {
		t.Errorf("Zoe heard %q, closed with %d", zoe.lines, zoe.code)
	}
	if log := v.audit(); len(log) != 0 {
		t.Errorf("the audit log is %q", log)
	}
}

func TestCommandsOfModerators(t *testing.T) {
	v := newTavern(t)
	ann := v.moderator("ann")
	v.register("Red Baron")
	bob := v.enter("bob")
	for _, c := range []struct{ name, says, want string }{
		{"mute", "/mute bob 10 too loud", "bob is muted for 10 minutes"},
		{"mute without minutes", "/mute bob", "It is: /mute NAME MINUTES [REASON]"},
		{"mute for no time", "/mute bob 0", "It is: /mute NAME MINUTES [REASON]"},
		{"mute in words", "/mute bob soon", "It is: /mute NAME MINUTES [REASON]"},
		{"unmute", "/unmute bob", "bob may talk again"},
		{"unmute nobody", "/unmute", "It is: /unmute NAME"},
		{"kick nobody", "/kick", "It is: /kick NAME [REASON]"},
		{"kick who is away", `/kick "red baron" for a reason`, "Red Baron is not here"},
		{"ban a quoted name", `/ban “Red Baron” 1`, "Red Baron is banned until " + time.Now().Add(24*time.Hour).UTC().Format("2006-01-02")},
		{"ban for too long", "/ban bob 99999999", "It is: /ban NAME [DAYS] [REASON]"},
		{"ban for no time", "/ban bob -1 x", "It is: /ban NAME [DAYS] [REASON]"},
		{"unban", `/unban "Red Baron"`, "Red Baron is no longer banned"},
		{"unban with more", "/unban Red Baron", "It is: /unban NAME"},
		{"announce", "/announce The bar is open ", "Everybody was told"},
		{"announce nothing", "/announce", "It is: /announce TEXT"},
		{"themselves", "/kick ann", "That is you"},
		{"ban for good", "/ban bob 2much spam", "bob is banned for good; 1 connection closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ann.says(c.says)
			ann.until(c.want, func() bool {
				i := slices.IndexFunc(ann.lines, func(l string) bool { return prefixed(l, "[Server]: "+c.want) })
				if i >= 0 {
					ann.lines = slices.Delete(ann.lines, i, i+1)
				}
				return i >= 0
			})
		})
	}
	ann.says("/help")
	ann.hears("[Server]: /announce TEXT - say something to everybody")
	bob.hears("[Server]: You are muted for 10 minutes: too loud")
	bob.hears("[Server]: You may talk again")
	bob.hears("[Server]: The bar is open")
	bob.expelled("You are banned for good: 2much spam")
	log := v.audit()
	if len(log) != 7 || log[1] != "ann|chat|mute|bob|for 10 minutes: too loud" || log[6] != "ann|chat|ban|bob|for good: 2much spam" {
		t.Errorf("the audit log is %q", log)
	}
}

// TestRightsAreThoseOfNow: who was a moderator when it came in is none when that
// was taken away meanwhile.
func TestRightsAreThoseOfNow(t *testing.T) {
	v := newTavern(t)
	ann, bob := v.moderator("ann"), v.enter("bob")
	v.does(v.desk.SetModerator(t.Context(), operator, "ann", false))
	v.desk.Offer(game.Command{Player: &ann.Player, ID: ann.id, Name: "ann", Moderator: true, Text: "/kick bob"})
	ann.hears("[Server]: Only moderators can do that")
	v.desk.Offer(game.Command{Player: &bob.Player, Name: "guest-1", Moderator: true, Text: "/kick bob"}) // no account
	bob.hears("[Server]: Only moderators can do that")
}

// stuck is a World that takes nothing, or takes and never runs.
type stuck struct{ err error }

func (s stuck) Do(func(game.Tx)) error { return s.err }

// TestCommandsAreBounded: a desk that cannot keep up refuses, and takes again when
// it can.
func TestCommandsAreBounded(t *testing.T) {
	v := newTavern(t)
	d := must[*Desk](t)(New(t.Context(), Config{Store: v.store, World: v.loop})) // does not Run
	c := game.Command{Player: new(game.Player), Name: "guest-1", Text: "/who"}
	for i := range mostCommands {
		if !d.Offer(c) {
			t.Fatalf("command %d is refused", i)
		}
	}
	if d.Offer(c) || d.CommandsFull() != 1 {
		t.Errorf("one too many is taken, or not counted: %d", d.CommandsFull())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	for deadline := time.Now().Add(patience); !d.Offer(c); {
		if time.Now().After(deadline) {
			t.Fatal("the desk never takes another command")
		}
	}
	cancel()
	<-done
}

// TestWorldThatDoesNotAnswer: nobody waits for ever, and what is kept is said to
// be.
func TestWorldThatDoesNotAnswer(t *testing.T) {
	v := newTavern(t)
	id := v.register("bob")
	for _, c := range []struct {
		name  string
		world World
		words string
	}{
		{"full", stuck{game.ErrBusy}, "The world is busy"},
		{"ended", stuck{}, "The world does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := must[*Desk](t)(New(t.Context(), Config{Store: v.store, World: c.world}))
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := d.Kick(ctx, operator, "bob", "")
			refused(t, err, Busy, c.words)
			ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err = d.Ban(ctx, operator, "bob", 0, "")
			refused(t, err, Busy, "bob is banned for good, but")
			if _, banned := d.Banned(id); !banned {
				t.Error("the ban is not kept")
			}
		})
	}
}

// broken is a Store whose disk is full.
type broken struct{ Store }

var errDisk = errors.New("disk full")

func (broken) PutBan(context.Context, account.Ban, account.Entry) (account.Ban, error) {
	return account.Ban{}, errDisk
}
func (broken) Record(context.Context, account.Entry) error { return errDisk }

// TestNothingHappensWithoutItsEntry: what cannot be kept is not done.
func TestNothingHappensWithoutItsEntry(t *testing.T) {
	v := newTavern(t)
	bob := v.enter("bob")
	d := must[*Desk](t)(New(t.Context(), Config{Store: broken{v.store}, World: v.loop}))
	for name, do := range map[string]func() (string, error){
		"kick":     func() (string, error) { return d.Kick(t.Context(), operator, "bob", "") },
		"ban":      func() (string, error) { return d.Ban(t.Context(), operator, "bob", 0, "") },
		"announce": func() (string, error) { return d.Announce(t.Context(), operator, "hear") },
	} {
		if done, err := do(); !errors.Is(err, errDisk) || done != "" {
			t.Errorf("%s: %q, %v", name, done, err)
		}
	}
	if _, banned := d.Banned(bob.id); banned {
		t.Error("bob is banned in memory only")
	}
	v.does(v.desk.Announce(t.Context(), operator, "the end"))
	bob.hears("[Server]: the end")
}

func TestWhoIsBounded(t *testing.T) {
	v := newTavern(t)
	for i := range 120 {
		v.join(fmt.Sprintf("player-%03d", i), v.register(fmt.Sprintf("player-%03d", i)), "192.0.2.1")
	}
	lines := must[[]string](t)(v.desk.whoCommand(t.Context(), By{}, ""))
	if len(lines) != 1 || len(lines[0]) > maxNamesBytes+64 || !prefixed(lines[0], "120 players: player-000, player-001, ") || !suffixed(lines[0], " more") {
		t.Errorf("%q", lines)
	}
}
