package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// at is a time in whole seconds, as the database keeps them.
func at(seconds int64) time.Time { return time.Unix(1_800_000_000+seconds, 0) }

// entry is a line of the audit log for a test.
func entry(action, target string) Entry {
	return Entry{At: at(0), By: "operator", Via: "page", Action: action, Target: target, Details: "for a test"}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestBansPersist(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "Bob", "p")
	bob := must[Account](t)(s.Named(t.Context(), "BOB"))
	if bob.Name != "Bob" {
		t.Fatalf("found %+v", bob)
	}
	network := netip.MustParsePrefix("2001:db8::/64")
	put := func(b Ban) Ban {
		t.Helper()
		return must[Ban](t)(s.PutBan(t.Context(), b, entry("ban", "x")))
	}
	put(Ban{Account: bob.ID, Reason: "first", By: "ann", At: at(0)})
	second := put(Ban{Account: bob.ID, Reason: "second", By: "ann", At: at(1), Until: at(100)})
	forGood := put(Ban{Network: network, Reason: "spam", By: "ann", At: at(2)})
	shut(t, s)

	s = open(t, cheap(path))
	got := must[[]Ban](t)(s.Bans(t.Context()))
	second.Name = "Bob"
	if want := []Ban{forGood, second}; !slices.Equal(got, want) {
		t.Errorf("after a restart the bans are\n%+v, want\n%+v", got, want)
	}
	if got[0].Over(at(1e6)) || got[1].Over(at(99)) || !got[1].Over(at(100)) {
		t.Error("a ban ends at another time than it says")
	}
	// A new ban forgets those that are over, and no others.
	other := must[Ban](t)(s.PutBan(t.Context(), Ban{Network: netip.MustParsePrefix("192.0.2.1/32"), By: "ann", At: at(100)}, entry("ban", "x")))
	if got := must[[]Ban](t)(s.Bans(t.Context())); !slices.Equal(got, []Ban{other, forGood}) {
		t.Errorf("with the first over the bans are %+v", got)
	}
	if err := s.LiftBan(t.Context(), forGood.ID, entry("unban", "x")); err != nil {
		t.Fatal(err)
	}
	if got := must[[]Ban](t)(s.Bans(t.Context())); !slices.Equal(got, []Ban{other}) {
		t.Errorf("after lifting the bans are %+v", got)
	}
}

func TestMutesAndRolesPersist(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "Bob", "p")
	mustRegister(t, s, "ann", "p")
	bob := must[Account](t)(s.Named(t.Context(), "bob"))
	ann := must[Account](t)(s.Named(t.Context(), "ann"))
	for _, m := range []Mute{
		{Account: bob.ID, Reason: "loud", By: "ann", At: at(0), Until: at(60)},
		{Account: bob.ID, Reason: "louder", By: "ann", At: at(1), Until: at(600)},
	} {
		if err := s.PutMute(t.Context(), m, entry("mute", "Bob")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetRole(t.Context(), ann.ID, RoleModerator, entry("role", "ann")); err != nil {
		t.Fatal(err)
	}
	shut(t, s)

	s = open(t, cheap(path))
	want := []Mute{{Account: bob.ID, Name: "Bob", Reason: "louder", By: "ann", At: at(1), Until: at(600)}}
	if got := must[[]Mute](t)(s.Mutes(t.Context())); !slices.Equal(got, want) {
		t.Errorf("after a restart the mutes are %+v, want %+v", got, want)
	}
	roles := must[[]Account](t)(s.Roles(t.Context()))
	if len(roles) != 1 || roles[0].Name != "ann" || roles[0].Role != RoleModerator {
		t.Errorf("after a restart the roles are %+v", roles)
	}
	if a := mustLogin(t, s, "ann", "p"); a.Role != RoleModerator {
		t.Errorf("ann logs in as %+v", a)
	}
	if err := s.LiftMute(t.Context(), bob.ID, entry("unmute", "Bob")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetRole(t.Context(), ann.ID, "", entry("role", "ann")); err != nil {
		t.Fatal(err)
	}
	if mutes, roles := must[[]Mute](t)(s.Mutes(t.Context())), must[[]Account](t)(s.Roles(t.Context())); len(mutes)+len(roles) != 0 {
		t.Errorf("after lifting: %+v %+v", mutes, roles)
	}
}

func TestNamedKnowsNobody(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	for _, name := range []string{"", "nobody", string(make([]byte, 10_000)), "\xff", "x' OR '1'='1"} {
		if a, err := s.Named(t.Context(), name); err != ErrNoAccount {
			t.Errorf("%.20q: %+v, %v", name, a, err)
		}
	}
}

func TestAuditPages(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	for i := range 7 {
		e := entry("kick", fmt.Sprint("player", i))
		e.At = at(int64(i))
		if err := s.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var targets []string
	before, pages := int64(0), 0
	for {
		page := must[[]Entry](t)(s.Audit(t.Context(), before, 3))
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			targets = append(targets, e.Target)
			before = e.ID
		}
		pages++
	}
	want := []string{"player6", "player5", "player4", "player3", "player2", "player1", "player0"}
	if !slices.Equal(targets, want) || pages != 3 {
		t.Errorf("%d pages of %v", pages, targets)
	}
	first := must[[]Entry](t)(s.Audit(t.Context(), 2, 3))
	e := entry("kick", "player0")
	e.ID = 1
	if len(first) != 1 || first[0] != e {
		t.Errorf("the first entry is %+v, want %+v", first, e)
	}
}

func TestSettings(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	if v, err := s.Setting(t.Context(), "x"); v != "" || err != nil {
		t.Errorf("a setting that is not there: %q, %v", v, err)
	}
	for _, v := range []string{"one", "two"} {
		if err := s.SetSetting(t.Context(), "x", v, entry("setting", "x")); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	s = open(t, cheap(path))
	if v, err := s.Setting(t.Context(), "x"); v != "two" || err != nil {
		t.Errorf("after a restart: %q, %v", v, err)
	}
}

// TestActionAndEntryGoTogether has a change fail: neither it nor its entry stays,
// and what shared the transaction is not harmed.
func TestActionAndEntryGoTogether(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "bob", "p")
	letGo := holdWriter(s)

	var wg sync.WaitGroup
	outcomes := make(chan error, 2)
	wg.Go(func() { outcomes <- s.SetSetting(context.Background(), "x", "kept", entry("setting", "x")) })
	wg.Go(func() { // no such account
		_, err := s.PutBan(context.Background(), Ban{Account: 999, By: "ann", At: at(0)}, entry("ban", "ghost"))
		outcomes <- err
	})
	eventually(t, "both wait for the writer", func() bool { return len(s.writer.changes) == 2 })
	letGo()
	wg.Wait()
	close(outcomes)
	failed := 0
	for err := range outcomes {
		if err != nil {
			failed++
			internal(t, err)
		}
	}
	if v := must[string](t)(s.Setting(t.Context(), "x")); v != "kept" || failed != 1 {
		t.Errorf("%d failed and the setting is %q", failed, v)
	}
	log := must[[]Entry](t)(s.Audit(t.Context(), 0, 10))
	if len(log) != 1 || log[0].Action != "setting" {
		t.Errorf("the audit log is %+v", log)
	}
}

// TestDeletedAccountTakesItsBanAlong keeps the tables free of rows that point at
// nobody.
func TestDeletedAccountTakesItsBanAlong(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "bob", "p")
	bob := must[Account](t)(s.Named(t.Context(), "bob"))
	must[Ban](t)(s.PutBan(t.Context(), Ban{Account: bob.ID, By: "ann", At: at(0)}, entry("ban", "bob")))
	if err := s.PutMute(t.Context(), Mute{Account: bob.ID, By: "ann", At: at(0), Until: at(9)}, entry("mute", "bob")); err != nil {
		t.Fatal(err)
	}
	err := s.moderate(t.Context(), entry("delete", "bob"), func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM accounts WHERE id = ?", bob.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if bans, mutes := must[[]Ban](t)(s.Bans(t.Context())), must[[]Mute](t)(s.Mutes(t.Context())); len(bans)+len(mutes) != 0 {
		t.Errorf("left over: %+v %+v", bans, mutes)
	}
}

func TestModeratingAClosedStore(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	shut(t, s)
	if err := s.Record(t.Context(), entry("kick", "bob")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// TestModeratingWhileClosing has Close wait for what has been asked before it.
func TestModeratingWhileClosing(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	letGo := holdWriter(s)
	recorded := make(chan error, 1)
	go func() { recorded <- s.Record(context.Background(), entry("kick", "bob")) }()
	eventually(t, "the entry waits for the writer", func() bool { return len(s.writer.changes) == 1 })
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		shut(t, s)
	}()
	letGo()
	if err := <-recorded; err != nil {
		t.Errorf("the entry: %v", err)
	}
	<-closed
	s = open(t, cheap(path))
	if log := must[[]Entry](t)(s.Audit(t.Context(), 0, 10)); len(log) != 1 {
		t.Errorf("after a restart the audit log is %+v", log)
	}
}
