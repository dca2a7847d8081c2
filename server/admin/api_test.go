package admin

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tavern/server/moderation"
)

func peerOf(s string) netip.Addr     { return netip.MustParseAddr(s) }
func addrFrom4(b [4]byte) netip.Addr { return netip.AddrFrom4(b) }

type playersAnswer struct {
	Total, Found int
	Players      []struct {
		ID      int64
		Name    string
		Address string
		X, Y    float64
		Since   time.Time
		Muted   *time.Time `json:"muted_until"`
		Pending int        `json:"pending_bytes"`
	}
}

func (a playersAnswer) names() (names []string) {
	for _, p := range a.Players {
		names = append(names, p.Name)
	}
	return names
}

func TestPlayers(t *testing.T) {
	o := open(t, nil)
	o.enter("zoe", "192.0.2.1", 10, 20)
	o.enter("Ann", "192.0.2.2", -30, 5)
	o.enter("bob", "2001:db8::7", 99, -99)
	for _, c := range []struct {
		name, query string
		want        []string
	}{
		{"all", "", []string{"Ann", "bob", "zoe"}},
		{"reverse", "order=name&reverse=1", []string{"zoe", "bob", "Ann"}},
		{"by address", "order=address", []string{"zoe", "Ann", "bob"}},
		{"by name", "search=NN", []string{"Ann"}},
		{"of an address", "search=192.0.2", []string{"Ann", "zoe"}},
		{"of an account", "search=%231", []string{"zoe"}},
		{"no account", "search=%230", nil},
		{"nobody", "search=xyz", nil},
		{"the first", "limit=1", []string{"Ann"}},
		{"the rest", "offset=1", []string{"bob", "zoe"}},
		{"beyond", "offset=9", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decoded[playersAnswer](t, o.api("GET", "players?"+c.query, "", 200))
			if !slices.Equal(got.names(), c.want) || got.Total != 3 {
				t.Errorf("%v of %d, want %v of 3", got.names(), got.Total, c.want)
			}
		})
	}
	zoe := decoded[playersAnswer](t, o.api("GET", "players?search=zoe", "", 200)).Players[0]
	if zoe.Address != "192.0.2.1" || zoe.X != 10 || zoe.Y != 20 || zoe.Pending != 7 || zoe.Muted != nil || time.Since(zoe.Since) > time.Minute {
		t.Errorf("zoe is %+v", zoe)
	}
	for _, wrong := range []string{"order=beauty", "limit=0", "limit=501", "limit=x", "offset=-1"} {
		o.api("GET", "players?"+wrong, "", 400)
	}
	places := decoded[struct {
		World  [4]float64
		Points [][3]int64
	}](t, o.api("GET", "map", "", 200))
	if places.World != [4]float64{-100, -100, 100, 100} || !slices.Contains(places.Points, [3]int64{99, -99, 3}) || len(places.Points) != 3 {
		t.Errorf("the map is %+v", places)
	}
}

// TestLoopIsAskedSeldom: however often the list is fetched, the loop is asked once
// a second, and at once after something was done.
func TestLoopIsAskedSeldom(t *testing.T) {
	o := open(t, nil)
	o.enter("ann", "192.0.2.1", 0, 0)
	for range 5 {
		o.api("GET", "players", "", 200)
	}
	first := o.admin.crowd.at
	o.now.pass(crowdAge / 2)
	o.api("GET", "map", "", 200)
	if o.admin.crowd.at != first {
		t.Error("asked again after half of the time")
	}
	o.now.pass(crowdAge)
	o.api("GET", "map", "", 200)
	if second := o.admin.crowd.at; second == first {
		t.Error("not asked again after the time")
	}
}

func TestActions(t *testing.T) {
	o := open(t, nil)
	bob := o.enter("bob", "192.0.2.1", 0, 0)
	for _, c := range []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"mute", "mute", `{"name":"bob","for":"90m","reason":"loud"}`, 200, "bob is muted for 1 hour and 30 minutes"},
		{"mute for ever", "mute", `{"name":"bob"}`, 400, "for how long"},
		{"mute for nonsense", "mute", `{"name":"bob","for":"soon"}`, 400, `is no duration`},
		{"mute nobody", "mute", `{"name":"xyz","for":"1h"}`, 404, "Nobody is called"},
		{"unmute", "unmute", `{"name":"bob"}`, 200, "may talk again"},
		{"unmute again", "unmute", `{"name":"bob"}`, 404, "not muted"},
		{"moderator", "moderators", `{"name":"bob","moderator":true}`, 200, "bob is a moderator now"},
		{"moderator again", "moderators", `{"name":"bob","moderator":true}`, 400, "already"},
		{"no moderator", "moderators", `{"name":"bob","moderator":false}`, 200, "no moderator any more"},
		{"announce", "announce", `{"text":"hear, hear"}`, 200, "Everybody was told"},
		{"announce nothing", "announce", `{"text":" "}`, 400, "text is missing"},
		{"kick", "kick", `{"name":"bob","reason":"afk"}`, 200, "bob was kicked"},
		{"ban offline", "ban", `{"name":"bob","for":"7d","reason":"spam"}`, 200, "bob is banned until "},
		{"ban a network", "ban", `{"address":"198.51.100.0/24"}`, 200, "198.51.100.0/24 is banned for good"},
		{"ban both", "ban", `{"name":"bob","address":"2001:db8::1","for":"1h"}`, 200, ". 2001:db8::/64 is banned until "},
		{"ban both, wrong address", "ban", `{"name":"bob","address":"nowhere"}`, 400, "is no address"},
		{"ban the world", "ban", `{"address":"0.0.0.0/0"}`, 400, "too large"},
		{"unban", "unban", `{"name":"bob"}`, 200, "no longer banned"},
		{"unban an address", "unban", `{"address":"2001:db8::99"}`, 200, "2001:db8::/64 is no longer banned"},
		{"unban nobody", "unban", `{}`, 400, "name is missing"},
		{"unknown field", "kick", `{"nick":"bob"}`, 400, "unknown field"},
		{"two values", "kick", `{"name":"bob"}{}`, 400, "more than one value"},
		{"no JSON", "kick", `name=bob`, 400, "not the JSON"},
		{"too much", "kick", `{"name":"` + strings.Repeat("x", maxBodyBytes) + `"}`, 413, "too much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if text := o.api("POST", c.path, c.body, c.status); !strings.Contains(text, c.want) {
				t.Errorf("%s, want %q", text, c.want)
			}
		})
	}
	if why := <-bob.gone; why != "You were kicked: afk" {
		t.Errorf("bob was closed with %q", why)
	}
	bans := decoded[struct {
		Bans []struct {
			Name, Address, Reason, By string
			Until                     *time.Time
		}
	}](t, o.api("GET", "bans", "", 200)).Bans
	if len(bans) != 1 || bans[0].Address != "198.51.100.0/24" || bans[0].Until != nil || bans[0].By != "operator" {
		t.Errorf("the bans are %+v", bans)
	}
	if text := o.api("GET", "mutes", "", 200); text != `{"mutes":[]}` {
		t.Errorf("the mutes are %s", text)
	}
	if text := o.api("GET", "moderators", "", 200); text != `{"moderators":[]}` {
		t.Errorf("the moderators are %s", text)
	}
}

func TestAuditOverHTTP(t *testing.T) {
	o := open(t, nil)
	for i := range 5 {
		body := fmt.Sprintf(`{"text":"number %d"}`, i)
		resp, text := o.call("POST", "/api/v1/announce", body, func(r *http.Request) {
			withToken(testToken)(r)
			r.Header.Set(operatorHeader, "anna")
			if i%2 == 1 {
				r.Header.Set("User-Agent", commandAgent+"/1")
			}
		})
		if resp.StatusCode != 200 {
			t.Fatal(text)
		}
	}
	type entries struct {
		Entries []struct {
			ID                               int64
			By, Via, Action, Target, Details string
		}
	}
	page := decoded[entries](t, o.api("GET", "audit?limit=2", "", 200)).Entries
	if len(page) != 2 || page[0].Details != "number 4" || page[0].By != "operator anna" || page[0].Via != "api" || page[1].Via != "command" {
		t.Fatalf("the newest entries are %+v", page)
	}
	page = decoded[entries](t, o.api("GET", fmt.Sprintf("audit?limit=9&before=%d", page[1].ID), "", 200)).Entries
	if len(page) != 3 || page[0].Details != "number 2" || page[2].Details != "number 0" {
		t.Errorf("the entries before are %+v", page)
	}
	o.api("GET", "audit?before=x", "", 400)
}

func TestHistory(t *testing.T) {
	var h history
	start := time.UnixMilli(1_800_000_000_000)
	h.take(start, Reading{}, 0, 0)
	for i := 1; i <= samples+10; i++ {
		h.take(start.Add(time.Duration(i)*time.Second), Reading{
			Players: int64(i), Ticks: uint64(20 * i), Work: time.Duration(i) * 20 * time.Millisecond, Messages: uint64(5 * i),
			BytesIn: uint64(100 * i), BytesOut: uint64(1000 * i), CPU: time.Duration(i) * time.Second / 4,
		}, 3*time.Millisecond, 0)
	}
	all, next := h.since(0)
	if len(all) != samples || next != samples+10 || all[0].Players != 11 || all[samples-1].Players != samples+10 {
		t.Fatalf("%d samples up to %d, the first with %d players", len(all), next, all[0].Players)
	}
	s := all[7]
	if s.Work != 1 || s.MaxWork != 3 || s.Messages != 5 || s.BytesIn != 100 || s.BytesOut != 1000 || s.CPU != 0.25 {
		t.Errorf("a sample is %+v", s)
	}
	if got, _ := h.since(next - 2); len(got) != 2 || got[1] != all[samples-1] {
		t.Errorf("the last two are %+v", got)
	}
	if got, _ := h.since(next + 100); len(got) != 0 {
		t.Errorf("samples to come: %+v", got)
	}
}

// TestSamples: what Run has taken comes out with its columns named.
func TestSamples(t *testing.T) {
	o := open(t, nil)
	o.admin.history.take(o.now.Now(), Reading{Players: 1}, 0, 0)
	o.now.pass(time.Second)
	o.admin.history.take(o.now.Now(), Reading{Players: 2, Messages: 8}, 0, 0)
	got := decoded[struct {
		Fields  []string
		Samples [][]float64
		Next    int
	}](t, o.api("GET", "history?from=0", "", 200))
	if len(got.Samples) != 1 || len(got.Samples[0]) != len(got.Fields) || got.Next != 1 {
		t.Fatalf("%+v", got)
	}
	if p := got.Samples[0][slices.Index(got.Fields, "players")]; p != 2 {
		t.Errorf("%v players", p)
	}
	if m := got.Samples[0][slices.Index(got.Fields, "messages_per_second")]; m != 8 {
		t.Errorf("%v messages a second", m)
	}
	got.Samples = nil
	if text := o.api("GET", "history?from=1", "", 200); !strings.Contains(text, `"samples":[]`) {
		t.Errorf("nothing new: %s", text)
	}
	o.api("GET", "history?from=-1", "", 400)
	o.enter("ann", "192.0.2.1", 0, 0)
	status := decoded[struct{ Players int }](t, o.api("GET", "status", "", 200))
	if status.Players != 1 {
		t.Errorf("the status is %+v", status)
	}
}

func TestPointsAreBounded(t *testing.T) {
	var many []moderation.Player
	for i := range 3 * maxPoints {
		many = append(many, moderation.Player{ID: int64(i + 1), X: float64(i)})
	}
	got := points(many)
	if len(got) != maxPoints || got[0][2] != 1 || got[maxPoints-1][2] < 3*maxPoints-5 {
		t.Errorf("%d points from %v to %v", len(got), got[0], got[len(got)-1])
	}
}
