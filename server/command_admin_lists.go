package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// show fetches what is at path and prints it: as the server says it with -json,
// else as print makes it of the value.
func show[T any](r *remote, out io.Writer, path string, print func(w io.Writer, v *T)) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	if *r.asJSON {
		var v any
		if err := c.Get(ctx, path, &v); err != nil {
			return err
		}
		return printJSON(out, v)
	}
	v := new(T)
	if err := c.Get(ctx, path, v); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	print(tw, v)
	return tw.Flush()
}

// row prints the cells of a line of a table.
func row(w io.Writer, cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }

// stamp is a time as a list has it; none means what it says instead.
func stamp(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.Local().Format("2006-01-02 15:04")
}

// listed is a name or a reason in a list: empty ones stay so.
func listed(s string) string {
	if s == "" {
		return ""
	}
	return printable(s)
}

const statusAbout = `
Says how the running server is.

    tavern status
`

func runStatus(args []string, out io.Writer) error {
	r := newRemote("status", statusAbout)
	if _, err := r.parse(args, out, 0, ""); err != nil {
		return err
	}
	type status struct {
		Version     string    `json:"version"`
		Commit      string    `json:"commit"`
		Started     time.Time `json:"started"`
		Players     int       `json:"players"`
		Guests      int       `json:"guests"`
		Connections int       `json:"connections"`
		MaxPlayers  int       `json:"max_players"`
	}
	return show(r, out, "status", func(w io.Writer, s *status) {
		row(w, "version", s.Version+" "+s.Commit)
		row(w, "up for", time.Since(s.Started).Round(time.Second).String())
		row(w, "players", strconv.Itoa(s.Players))
		row(w, "guests", strconv.Itoa(s.Guests))
		row(w, "connections", fmt.Sprintf("%d of %d", s.Connections, s.MaxPlayers))
	})
}

const playersAbout = `
Lists who is in the world, or those of whom the name or the address holds SEARCH.

    tavern players
    tavern players 198.51.100 -order since
`

func runPlayers(args []string, out io.Writer) error {
	r := newRemote("players", playersAbout)
	order := r.fs.String("order", "name", "`name|since|lag|address`")
	limit := r.fs.Int("limit", 100, "most `players` listed, at most 500")
	words, err := r.parse(args, out, 0, "")
	if err != nil {
		return err
	}
	query := url.Values{"search": {strings.Join(words, " ")}, "order": {*order}, "limit": {strconv.Itoa(*limit)}}
	type players struct {
		Found   int
		Players []struct {
			ID        int64
			Name      string
			Address   string
			X, Y      float64
			Since     *time.Time
			Muted     *time.Time `json:"muted_until"`
			Moderator bool
			Pending   int `json:"pending_bytes"`
		}
	}
	return show(r, out, "players?"+query.Encode(), func(w io.Writer, p *players) {
		row(w, "NAME", "ADDRESS", "SINCE", "LAG", "POSITION", "")
		for _, p := range p.Players {
			note, place := "", fmt.Sprintf("%.0f,%.0f", p.X, p.Y)
			switch {
			case p.ID == 0:
				place = ""
			case p.Muted != nil:
				note = "muted"
			case p.Moderator:
				note = "moderator"
			}
			row(w, listed(p.Name), p.Address, stamp(p.Since, ""), strconv.Itoa(p.Pending), place, note)
		}
		if more := p.Found - len(p.Players); more > 0 {
			row(w, fmt.Sprintf("and %d more", more))
		}
	})
}

const bansAbout = `
Lists the bans that hold.

    tavern bans
`

func runBans(args []string, out io.Writer) error {
	r := newRemote("bans", bansAbout)
	if _, err := r.parse(args, out, 0, ""); err != nil {
		return err
	}
	type bans struct {
		Bans []struct {
			Name, Address, Reason, By string
			At, Until                 *time.Time
		}
	}
	return show(r, out, "bans", func(w io.Writer, b *bans) {
		row(w, "WHO", "UNTIL", "REASON", "BY", "WHEN")
		for _, b := range b.Bans {
			row(w, listed(b.Name)+b.Address, stamp(b.Until, "for good"), listed(b.Reason), listed(b.By), stamp(b.At, ""))
		}
	})
}

const mutesAbout = `
Lists the mutes that hold.

    tavern mutes
`

func runMutes(args []string, out io.Writer) error {
	r := newRemote("mutes", mutesAbout)
	if _, err := r.parse(args, out, 0, ""); err != nil {
		return err
	}
	type mutes struct {
		Mutes []struct {
			Name, Reason, By string
			At, Until        *time.Time
		}
	}
	return show(r, out, "mutes", func(w io.Writer, m *mutes) {
		row(w, "WHO", "UNTIL", "REASON", "BY", "WHEN")
		for _, m := range m.Mutes {
			row(w, listed(m.Name), stamp(m.Until, ""), listed(m.Reason), listed(m.By), stamp(m.At, ""))
		}
	})
}

const moderatorsAbout = `
Lists the accounts that have a role.

    tavern moderators
`

func runModerators(args []string, out io.Writer) error {
	r := newRemote("moderators", moderatorsAbout)
	if _, err := r.parse(args, out, 0, ""); err != nil {
		return err
	}
	type moderators struct {
		Moderators []struct{ Name, Role string }
	}
	return show(r, out, "moderators", func(w io.Writer, m *moderators) {
		row(w, "NAME", "ROLE")
		for _, m := range m.Moderators {
			row(w, listed(m.Name), m.Role)
		}
	})
}

const auditAbout = `
Lists what operators and moderators did, the newest first.

    tavern audit -limit 20
`

func runAudit(args []string, out io.Writer) error {
	r := newRemote("audit", auditAbout)
	limit := r.fs.Int("limit", 50, "most `entries` listed, at most 500")
	before := r.fs.Int64("before", 0, "only entries older than the one of this `number`")
	if _, err := r.parse(args, out, 0, ""); err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(*limit)}, "before": {strconv.FormatInt(*before, 10)}}
	type audit struct {
		Entries []struct {
			ID                               int64
			At                               *time.Time
			By, Via, Action, Target, Details string
		}
	}
	return show(r, out, "audit?"+query.Encode(), func(w io.Writer, a *audit) {
		row(w, "NUMBER", "WHEN", "WHO", "VIA", "ACTION", "ON", "DETAILS")
		for _, e := range a.Entries {
			row(w, strconv.FormatInt(e.ID, 10), stamp(e.At, ""), listed(e.By), e.Via, e.Action, listed(e.Target), listed(e.Details))
		}
	})
}
