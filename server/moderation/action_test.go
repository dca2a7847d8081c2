package moderation

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tavern/game/account"
)

var operator = Operator("", "page")

func TestKick(t *testing.T) {
	v := newTavern(t)
	bob, ann := v.enter("Bob"), v.enter("ann")
	if done := v.does(v.desk.Kick(t.Context(), operator, " bob ", "no\tspam\n please")); done != "Bob was kicked" {
		t.Errorf("done: %s", done)
	}
	bob.expelled("You were kicked: no spam please")
	v.inside(func(tx tx) bool { return tx.Find(bob.id) == nil })

	guest := v.guest("198.51.100.7")
	v.does(v.desk.Kick(t.Context(), operator, "Guest-1", ""))
	guest.expelled("You were kicked")

	for _, c := range []struct {
		name, who string
		kind      Kind
		words     string
	}{
		{"gone", "bob", NotFound, "Bob is not here"},
		{"unknown", "nobody", NotFound, `Nobody is called "nobody"`},
		{"no name", "  ", Invalid, "name is missing"},
		{"guest gone", "guest-1", NotFound, "guest-1 is not here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := v.desk.Kick(t.Context(), operator, c.who, "")
			refused(t, err, c.kind, c.words)
		})
	}
	if got, want := v.audit(), []string{"operator|page|kick|Bob|no spam please", "operator|page|kick|guest-1|"}; !slices.Equal(got, want) {
		t.Errorf("the audit log is %q, want %q", got, want)
	}
	ann.mu.Lock()
	defer ann.mu.Unlock()
	if ann.code != 0 {
		t.Errorf("ann was closed too: %d %s", ann.code, ann.reason)
	}
}

func TestBanOfAnAccount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tavern.db")
	v, stop := open(t, path)
	bob := v.enter("Bob")
	offline := v.register("zoe")

	done := v.does(v.desk.Ban(t.Context(), operator, "BOB", 0, "spam"))
	if done != "Bob is banned for good; 1 connection closed" {
		t.Errorf("done: %s", done)
	}
	bob.expelled("You are banned for good: spam")
	v.does(v.desk.Ban(t.Context(), operator, "zoe", 24*time.Hour, ""))
	until := v.desk.Bans()[0].Until
	check := func(v *tavern) {
		t.Helper()
		if why, banned := v.desk.Banned(bob.id); !banned || why != "You are banned for good: spam" {
			t.Errorf("bob: %q, %v", why, banned)
		}
		want := "You are banned until " + until.UTC().Format("2006-01-02 15:04 UTC")
		if why, banned := v.desk.Banned(offline); !banned || why != want {
			t.Errorf("zoe: %q, %v, want %q", why, banned, want)
		}
	}
	check(v)
	stop()

	v, _ = open(t, path)
	check(v)
	v.does(v.desk.Unban(t.Context(), operator, "bob"))
	if why, banned := v.desk.Banned(bob.id); banned {
		t.Errorf("bob is unbanned and still: %s", why)
	}
	_, err := v.desk.Unban(t.Context(), operator, "bob")
	refused(t, err, NotFound, "Bob is not banned")

	// By the clock: of two monotonic readings for one time of day one may be a
	// nanosecond behind.
	v.desk.now = func() time.Time { return until.Round(0) }
	if why, banned := v.desk.Banned(offline); banned {
		t.Errorf("zoe's day is over and still: %s", why)
	}
	if bans := v.desk.Bans(); len(bans) != 0 {
		t.Errorf("listed: %+v", bans)
	}
	_, err = v.desk.Ban(t.Context(), operator, "bob", -time.Second, "")
	refused(t, err, Invalid, "A ban lasts")
}

func TestBanOfANetwork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tavern.db")
	v, stop := open(t, path)
	in4, out4 := v.join("a", v.register("a"), "192.0.2.200"), v.join("b", v.register("b"), "192.0.3.1")
	in6 := v.join("c", v.register("c"), "2001:db8:1:2:aaaa::1")
	guest := v.guest("192.0.2.7")

	network := must[netip.Prefix](t)(ParseNetwork("192.0.2.0/24"))
	if done := v.does(v.desk.BanNetwork(t.Context(), operator, network, time.Hour, "raid")); !prefixed(done, "192.0.2.0/24 is banned until ") || !suffixed(done, "; 2 connections closed") {
		t.Errorf("done: %s", done)
	}
	why, banned := v.desk.BannedAddress(netip.MustParseAddr("192.0.2.1"))
	if !banned {
		t.Fatal("an address of the network is not banned")
	}
	in4.expelled(why)
	guest.expelled(why)
	v.does(v.desk.BanNetwork(t.Context(), operator, must[netip.Prefix](t)(ParseNetwork("2001:db8:1:2::5")), 0, ""))
	in6.expelled("You are banned for good")

	check := func(v *tavern) {
		t.Helper()
		for addr, want := range map[string]bool{
			"192.0.2.0": true, "192.0.2.255": true, "::ffff:192.0.2.9": true, "192.0.3.0": false, "192.0.1.255": false,
			"2001:db8:1:2::": true, "2001:db8:1:2:ffff::1%eth0": true, "2001:db8:1:3::": false, "::1": false,
		} {
			if _, banned := v.desk.BannedAddress(netip.MustParseAddr(addr)); banned != want {
				t.Errorf("%s is banned: %v, want %v", addr, banned, want)
			}
		}
		if _, banned := v.desk.BannedAddress(netip.Addr{}); banned {
			t.Error("no address is banned")
		}
	}
	check(v)
	out4.mu.Lock()
	if out4.code != 0 {
		t.Errorf("who comes from elsewhere was closed: %d %s", out4.code, out4.reason)
	}
	out4.mu.Unlock()
	stop()

	v, _ = open(t, path)
	check(v)
	_, err := v.desk.UnbanNetwork(t.Context(), operator, must[netip.Prefix](t)(ParseNetwork("192.0.2.1")))
	refused(t, err, NotFound, "192.0.2.1 is not banned") // its network is
	v.does(v.desk.UnbanNetwork(t.Context(), operator, network))
	if _, banned := v.desk.BannedAddress(netip.MustParseAddr("192.0.2.1")); banned {
		t.Error("the network is unbanned and still")
	}
	moderator := By{name: "ann", via: "chat", account: 1}
	_, err = v.desk.BanNetwork(t.Context(), moderator, network, 0, "")
	refused(t, err, Forbidden, "Only the operator")
	_, err = v.desk.UnbanNetwork(t.Context(), moderator, network)
	refused(t, err, Forbidden, "Only the operator")
}

// TestBanMeetsALogin bans while somebody comes in: whoever wins, nobody banned
// stays inside. It does as the edge does: let in, then ask once more.
func TestBanMeetsALogin(t *testing.T) {
	v := newTavern(t)
	id := v.register("bob")
	for range 30 {
		start, entered := make(chan struct{}), make(chan *visitor, 1)
		go func() {
			<-start
			p := v.stranger("bob", "192.0.2.1")
			v.store.Claim(id)
			v.loop.Enter(&p.Player, p, accountOf(id, "bob"), nil)
			if why, banned := v.desk.Banned(id); banned {
				p.Close(closePolicy, why)
			}
			entered <- p
		}()
		close(start)
		v.does(v.desk.Ban(t.Context(), operator, "bob", 0, ""))
		p := <-entered
		p.until("the close", func() bool { return p.code != 0 })
		v.does(v.desk.Unban(t.Context(), operator, "bob"))
		v.empty()
	}
}

func TestMute(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tavern.db")
	v, stop := open(t, path)
	bob, ann := v.enter("bob"), v.enter("ann")
	if done := v.does(v.desk.Mute(t.Context(), operator, "bob", 90*time.Minute, "shouting")); done != "bob is muted for 1 hour and 30 minutes" {
		t.Errorf("done: %s", done)
	}
	bob.hears("[Server]: You are muted for 1 hour and 30 minutes: shouting")
	bob.says("anybody?")
	bob.until("a Deny", func() bool { return len(bob.lines) > 0 && prefixed(bob.lines[0], "Deny: You are muted for another 1h") })
	stop()

	v, _ = open(t, path)
	if until := v.desk.MutedUntil(bob.id); until.IsZero() {
		t.Fatal("the mute is forgotten")
	}
	bob, ann = v.join("bob", bob.id, "192.0.2.1"), v.join("ann", ann.id, "192.0.2.1")
	bob.says("and now?")
	bob.until("a Deny", func() bool { return len(bob.lines) > 0 && prefixed(bob.lines[0], "Deny: You are muted for another ") })
	v.does(v.desk.Unmute(t.Context(), operator, "bob"))
	bob.hears("[Server]: You may talk again")
	bob.says("thanks")
	ann.hears("bob: thanks")
	ann.mu.Lock()
	if len(ann.lines) > 0 {
		t.Errorf("ann also heard %q", ann.lines)
	}
	ann.mu.Unlock()

	_, err := v.desk.Unmute(t.Context(), operator, "bob")
	refused(t, err, NotFound, "bob is not muted")
	_, err = v.desk.Mute(t.Context(), operator, "bob", 0, "")
	refused(t, err, Invalid, "for how long")
	_, err = v.desk.Mute(t.Context(), operator, "guest-4", time.Hour, "")
	refused(t, err, NotFound, "Guests cannot be muted")
	if n := len(v.desk.Mutes()); n != 0 {
		t.Errorf("%d mutes hold", n)
	}
}

func TestAnnounce(t *testing.T) {
	v := newTavern(t)
	bob, guest := v.enter("bob"), v.guest("198.51.100.7")
	v.does(v.desk.Announce(t.Context(), Operator("anna", "api"), "closing\nat ten"))
	bob.hears("[Server]: closing at ten")
	guest.hears("[Server]: closing at ten")
	_, err := v.desk.Announce(t.Context(), operator, " \n")
	refused(t, err, Invalid, "text is missing")
	if got, want := v.audit(), []string{"operator anna|api|announce||closing at ten"}; !slices.Equal(got, want) {
		t.Errorf("the audit log is %q, want %q", got, want)
	}
	counted := map[string]uint64{}
	v.desk.Counts(func(action string, n uint64) { counted[action] = n })
	if counted["announce"] != 1 || counted["ban"] != 0 || len(counted) != len(actions) {
		t.Errorf("counted %v", counted)
	}
}

func TestModerators(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tavern.db")
	v, stop := open(t, path)
	ann := v.moderator("ann")
	_, err := v.desk.SetModerator(t.Context(), operator, "ann", true)
	refused(t, err, Invalid, "already")
	stop()

	v, _ = open(t, path)
	ann = v.join("ann", ann.id, "192.0.2.1")
	if list := v.desk.Moderators(); len(list) != 1 || list[0].Name != "ann" || list[0].Role != account.RoleModerator {
		t.Errorf("after a restart the moderators are %+v", list)
	}
	v.enter("bob")
	carl := v.moderator("carl")
	by := By{name: "ann", via: "chat", account: ann.id}
	for _, c := range []struct {
		name string
		do   func(name string) (string, error)
	}{
		{"kick", func(name string) (string, error) { return v.desk.Kick(t.Context(), by, name, "") }},
		{"ban", func(name string) (string, error) { return v.desk.Ban(t.Context(), by, name, 0, "") }},
		{"unban", func(name string) (string, error) { return v.desk.Unban(t.Context(), by, name) }},
		{"mute", func(name string) (string, error) { return v.desk.Mute(t.Context(), by, name, time.Hour, "") }},
		{"unmute", func(name string) (string, error) { return v.desk.Unmute(t.Context(), by, name) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.do("carl")
			refused(t, err, Forbidden, "carl is a moderator")
			_, err = c.do("ann")
			refused(t, err, Forbidden, "That is you")
		})
	}
	_, err = v.desk.SetModerator(t.Context(), by, "bob", true)
	refused(t, err, Forbidden, "Only the operator")
	v.does(v.desk.SetModerator(t.Context(), operator, "carl", false))
	carl.hears("[Server]: You are no moderator any more")
	_, err = v.desk.SetModerator(t.Context(), operator, "carl", false)
	refused(t, err, NotFound, "carl is no moderator")
	if _, err := v.desk.Kick(t.Context(), by, "carl", ""); err != nil {
		t.Errorf("ann cannot kick carl, who is no moderator any more: %v", err)
	}
}

func TestWho(t *testing.T) {
	v := newTavern(t)
	bob, _ := v.moderator("bob"), v.guest("198.51.100.7")
	v.does(v.desk.Mute(t.Context(), operator, "bob", time.Hour, ""))
	everybody, err := v.desk.Who(t.Context())
	if err != nil || len(everybody) != 2 {
		t.Fatalf("%+v, %v", everybody, err)
	}
	for _, p := range everybody {
		switch {
		case p.ID == 0:
			if p.Name != "guest-1" || p.Address != netip.MustParseAddr("198.51.100.7") || p.Moderator || !p.Muted.IsZero() {
				t.Errorf("the guest is %+v", p)
			}
		case p.ID != bob.id || p.Name != "bob" || p.Address != bob.addr || !p.Moderator || !p.Muted.Equal(v.desk.MutedUntil(bob.id)) ||
			time.Since(p.Since) > time.Minute:
			t.Errorf("bob is %+v", p)
		}
	}
}
