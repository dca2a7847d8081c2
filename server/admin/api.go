package admin

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tavern/server/moderation"
)

// when is a time in JSON: RFC 3339, or null.
type when time.Time

// MarshalJSON writes it.
func (t when) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().Truncate(time.Second).MarshalJSON()
}

func (s *Server) status(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	now, clock := s.cfg.Read(), s.cfg.Now()
	started := clock.Add(-clock.Sub(s.started)) // by what the clock says now
	answer(w, http.StatusOK, struct {
		Version     string     `json:"version"`
		Commit      string     `json:"commit"`
		Started     when       `json:"started"`
		Players     int64      `json:"players"`
		Guests      int64      `json:"guests"`
		Connections int64      `json:"connections"`
		MaxPlayers  int        `json:"max_players"`
		World       [4]float64 `json:"world"`
	}{s.cfg.Version, s.cfg.Commit, when(started), now.Players, now.Guests, now.Connections, s.cfg.MaxPlayers(), s.cfg.World})
}

func (s *Server) samples(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	from, ok := number(w, r, "from", 0, 0, 1<<62)
	if !ok {
		return
	}
	list, next := s.history.since(uint64(from))
	if list == nil {
		list = []Sample{}
	}
	answer(w, http.StatusOK, struct {
		Fields  []string `json:"fields"`
		Samples []Sample `json:"samples"`
		Next    uint64   `json:"next"`
	}{sampleFields, list, next})
}

// number reads a number from the query. When it cannot, it answers and returns
// false.
func number(w http.ResponseWriter, r *http.Request, name string, preset, least, most int64) (int64, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return preset, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		fail(w, http.StatusBadRequest, name+" must be a number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
		return 0, false
	}
	return n, true
}

// playerJSON is a player as the API tells it.
type playerJSON struct {
	ID        int64   `json:"id"` // of the account, 0 for a guest
	Name      string  `json:"name"`
	Address   string  `json:"address"`
	X         float64 `json:"x"`
	Y         float64 `json:"y"`
	Since     when    `json:"since"`
	Muted     when    `json:"muted_until"`
	Moderator bool    `json:"moderator"`
	Pending   int     `json:"pending_bytes"`
}

func (s *Server) players(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	q := r.URL.Query()
	offset, ok := number(w, r, "offset", 0, 0, 1<<31)
	if !ok {
		return
	}
	limit, ok := number(w, r, "limit", 100, 1, maxPage)
	if !ok {
		return
	}
	order := q.Get("order")
	if order == "" {
		order = "name"
	}
	if orders[order] == nil {
		fail(w, http.StatusBadRequest, "order must be name, since, lag or address")
		return
	}
	everybody, err := s.crowd.look(r.Context())
	if err != nil {
		s.refused(w, r, err)
		return
	}
	found := search(everybody, q.Get("search"), order, q.Get("reverse") != "")
	out := struct {
		Total   int          `json:"total"`
		Found   int          `json:"found"`
		Players []playerJSON `json:"players"`
	}{len(everybody), len(found), []playerJSON{}}
	from := min(int(offset), len(found))
	for _, p := range found[from:min(from+int(limit), len(found))] {
		out.Players = append(out.Players, playerJSON{
			p.ID, p.Name, addressText(p.Address), p.X, p.Y, when(p.Since), when(p.Muted), p.Moderator, p.Pending,
		})
	}
	answer(w, http.StatusOK, out)
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func (s *Server) places(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	everybody, err := s.crowd.look(r.Context())
	if err != nil {
		s.refused(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct {
		World  [4]float64 `json:"world"`
		Points [][3]int64 `json:"points"` // x, y, account
	}{s.cfg.World, points(everybody)})
}

func (s *Server) bans(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	type banJSON struct {
		Name    string `json:"name,omitempty"`
		Address string `json:"address,omitempty"`
		Reason  string `json:"reason"`
		By      string `json:"by"`
		At      when   `json:"at"`
		Until   when   `json:"until"` // null: for good
	}
	list := []banJSON{}
	for _, b := range s.cfg.Desk.Bans() {
		out := banJSON{Name: b.Name, Reason: b.Reason, By: b.By, At: when(b.At), Until: when(b.Until)}
		if b.Account == 0 {
			out.Address = b.Network.String()
		}
		list = append(list, out)
	}
	answer(w, http.StatusOK, map[string]any{"bans": list})
}

func (s *Server) mutes(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	type muteJSON struct {
		Name   string `json:"name"`
		Reason string `json:"reason"`
		By     string `json:"by"`
		At     when   `json:"at"`
		Until  when   `json:"until"`
	}
	list := []muteJSON{}
	for _, m := range s.cfg.Desk.Mutes() {
		list = append(list, muteJSON{m.Name, m.Reason, m.By, when(m.At), when(m.Until)})
	}
	answer(w, http.StatusOK, map[string]any{"mutes": list})
}

func (s *Server) moderators(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	type moderatorJSON struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		Role string `json:"role"`
	}
	list := []moderatorJSON{}
	for _, a := range s.cfg.Desk.Moderators() {
		list = append(list, moderatorJSON{a.ID, a.Name, a.Role})
	}
	answer(w, http.StatusOK, map[string]any{"moderators": list})
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request, _ moderation.By) {
	before, ok := number(w, r, "before", 0, 0, 1<<62)
	if !ok {
		return
	}
	limit, ok := number(w, r, "limit", 50, 1, maxPage)
	if !ok {
		return
	}
	entries, err := s.cfg.Store.Audit(r.Context(), before, int(limit))
	if err != nil {
		s.internal(w, r, err)
		return
	}
	type entryJSON struct {
		ID      int64  `json:"id"`
		At      when   `json:"at"`
		By      string `json:"by"`
		Via     string `json:"via"`
		Action  string `json:"action"`
		Target  string `json:"target"`
		Details string `json:"details"`
	}
	list := []entryJSON{}
	for _, e := range entries {
		list = append(list, entryJSON{e.ID, when(e.At), e.By, e.Via, e.Action, e.Target, e.Details})
	}
	answer(w, http.StatusOK, map[string]any{"entries": list})
}

// done answers with what was done, in a sentence.
func (s *Server) done(w http.ResponseWriter, r *http.Request, sentence string, err error) {
	s.crowd.stale()
	if err != nil {
		s.refused(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct {
		Done string `json:"done"`
	}{sentence})
}

// whole is a context for what must not be left half done because whoever asked for
// it has gone.
func whole(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

func (s *Server) announce(w http.ResponseWriter, r *http.Request, by moderation.By) {
	var in struct {
		Text string `json:"text"`
	}
	if read(w, r, &in) {
		done, err := s.cfg.Desk.Announce(whole(r), by, in.Text)
		s.done(w, r, done, err)
	}
}

// whom is the body of most actions. For says how long, in moderation.ParseSpan's
// notation.
type whom struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	For     string `json:"for"`
	Reason  string `json:"reason"`
}

// on reads whom an action is about and carries it out. An address is for those
// only that know one.
func (s *Server) on(w http.ResponseWriter, r *http.Request, act func(ctx context.Context, in whom, span time.Duration) (string, error)) {
	var in whom
	if !read(w, r, &in) {
		return
	}
	var span time.Duration
	if strings.TrimSpace(in.For) != "" {
		var err error
		if span, err = moderation.ParseSpan(strings.TrimSpace(in.For)); err != nil {
			s.refused(w, r, err)
			return
		}
	}
	done, err := act(whole(r), in, span)
	s.done(w, r, done, err)
}

func (s *Server) kick(w http.ResponseWriter, r *http.Request, by moderation.By) {
	s.on(w, r, func(ctx context.Context, in whom, _ time.Duration) (string, error) {
		return s.cfg.Desk.Kick(ctx, by, in.Name, in.Reason)
	})
}

func (s *Server) mute(w http.ResponseWriter, r *http.Request, by moderation.By) {
	s.on(w, r, func(ctx context.Context, in whom, span time.Duration) (string, error) {
		return s.cfg.Desk.Mute(ctx, by, in.Name, span, in.Reason)
	})
}

func (s *Server) unmute(w http.ResponseWriter, r *http.Request, by moderation.By) {
	s.on(w, r, func(ctx context.Context, in whom, _ time.Duration) (string, error) {
		return s.cfg.Desk.Unmute(ctx, by, in.Name)
	})
}

// ban bans an account, an address, or both.
func (s *Server) ban(w http.ResponseWriter, r *http.Request, by moderation.By) {
	s.on(w, r, func(ctx context.Context, in whom, span time.Duration) (string, error) {
		return both(in, func() (string, error) {
			return s.cfg.Desk.Ban(ctx, by, in.Name, span, in.Reason)
		}, func(network netip.Prefix) (string, error) {
			return s.cfg.Desk.BanNetwork(ctx, by, network, span, in.Reason)
		})
	})
}

func (s *Server) unban(w http.ResponseWriter, r *http.Request, by moderation.By) {
	s.on(w, r, func(ctx context.Context, in whom, _ time.Duration) (string, error) {
		return both(in, func() (string, error) {
			return s.cfg.Desk.Unban(ctx, by, in.Name)
		}, func(network netip.Prefix) (string, error) {
			return s.cfg.Desk.UnbanNetwork(ctx, by, network)
		})
	})
}

// both does what is asked for to the address and to the name, as far as they are
// given. A wrong address is found before anything is done.
func both(in whom, name func() (string, error), address func(netip.Prefix) (string, error)) (string, error) {
	if in.Address == "" {
		return name()
	}
	network, err := moderation.ParseNetwork(strings.TrimSpace(in.Address))
	if err != nil {
		return "", err
	}
	first := ""
	if in.Name != "" {
		if first, err = name(); err != nil {
			return "", err
		}
		first += ". "
	}
	second, err := address(network)
	return first + second, err
}

func (s *Server) setModerator(w http.ResponseWriter, r *http.Request, by moderation.By) {
	var in struct {
		Name      string `json:"name"`
		Moderator bool   `json:"moderator"`
	}
	if read(w, r, &in) {
		done, err := s.cfg.Desk.SetModerator(whole(r), by, in.Name, in.Moderator)
		s.done(w, r, done, err)
	}
}
