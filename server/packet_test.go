package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// heard is one packet that the server sent.
type heard struct {
	raw    string
	action string
	n      int // payloads
	p0, p1 json.RawMessage
	at     time.Time
}

// parse reads a packet in any JSON form.
func parse(raw string) (heard, error) {
	h := heard{raw: raw, at: time.Now()}
	var p struct {
		A  *string         `json:"a"`
		P0 json.RawMessage `json:"p0"`
		P1 json.RawMessage `json:"p1"`
		P2 json.RawMessage `json:"p2"`
	}
	if err := json.Unmarshal([]byte(raw), &p); err != nil {
		return h, fmt.Errorf("%s: %w", raw, err)
	}
	if p.A == nil {
		return h, fmt.Errorf("%s: no action", raw)
	}
	h.action, h.p0, h.p1 = *p.A, p.P0, p.P1
	for _, payload := range []json.RawMessage{p.P0, p.P1, p.P2} {
		if payload == nil {
			break
		}
		h.n++
	}
	return h, nil
}

// hear reads a packet as strictly as the clients do that PROTOCOL.md tells of:
// compact, a first, p0 before p1, and raw UTF-8.
func hear(raw string) (heard, error) {
	h, err := parse(raw)
	if err != nil {
		return h, err
	}
	form := fmt.Sprintf(`{"a":%q`, h.action)
	for i, payload := range []json.RawMessage{h.p0, h.p1}[:min(h.n, 2)] {
		form += fmt.Sprintf(`,"p%d":%s`, i, payload)
	}
	switch {
	case raw != form+"}":
		return h, fmt.Errorf("%s: not in the order a, p0, p1, or not compact", raw)
	case strings.Contains(raw, `\ud`) || strings.Contains(raw, `\uD`):
		return h, fmt.Errorf("%s: a surrogate, which Godot 3 shows as garbage", raw)
	}
	return h, nil
}

// text is a payload as text; what is no string is "".
func text(payload json.RawMessage) string {
	var s string
	_ = json.Unmarshal(payload, &s)
	return s
}

// actor reads the payload of a Disconnect or Despawn.
func (h *heard) actor() (id int64) {
	_ = json.Unmarshal(h.p0, &id)
	return id
}

// chat is the packet as "sender: text", "" when it is no players' chat.
func (h *heard) chat() string {
	if h.action != "Chat" || h.n != 2 {
		return ""
	}
	return text(h.p0) + ": " + text(h.p1)
}

// model is the payload of a ModelDelta. What a delta leaves out is nil.
type model struct {
	ID        int64  `json:"id"`
	User      *int64 `json:"user"`
	Avatar    *int   `json:"avatar_id"`
	ModelType string `json:"model_type"`
	Instance  struct {
		ID        int64    `json:"id"`
		X         *float64 `json:"x"`
		Y         *float64 `json:"y"`
		ModelType string   `json:"model_type"`
		Entity    *struct {
			ID        int64  `json:"id"`
			Name      string `json:"name"`
			ModelType string `json:"model_type"`
		} `json:"entity"`
	} `json:"instanced_entity"`
}

// model reads the payload of a ModelDelta; ok is false for any other packet.
func (h *heard) model() (m model, ok bool) {
	if h.action != "ModelDelta" || json.Unmarshal(h.p0, &m) != nil {
		return m, false
	}
	return m, true
}

func (m model) full() bool { return m.Instance.Entity != nil }

func (m model) name() string {
	if !m.full() {
		return ""
	}
	return m.Instance.Entity.Name
}

// at is where the model stands.
func (m model) at() point { return point{*m.Instance.X, *m.Instance.Y} }

type point struct{ x, y float64 }

// sameJSON tells whether two texts mean the same.
func sameJSON(a, b string) bool {
	var va, vb any
	return json.Unmarshal([]byte(a), &va) == nil && json.Unmarshal([]byte(b), &vb) == nil && reflect.DeepEqual(va, vb)
}

// sight is what one client knows of the world, and the rules that a tutorial's
// client breaks on when they are broken: the first model is its own, every model
// is announced once and in full before anything else is said of it, a delta has
// both coordinates, nobody hears of its own leaving, and nothing but answers
// comes before the login.
type sight struct {
	loggedIn bool // an Ok to Login is on its way or here
	own      int64
	known    map[int64]point
}

// see takes note of a packet and returns what is wrong with it.
func (s *sight) see(h *heard) error {
	switch h.action {
	case "ModelDelta":
		m, ok := h.model()
		switch {
		case !ok || m.Instance.X == nil || m.Instance.Y == nil:
			return fmt.Errorf("%s: no model with both coordinates", h.raw)
		case !s.loggedIn:
			return fmt.Errorf("%s: before the login", h.raw)
		}
		_, known := s.known[m.ID]
		switch {
		case m.full() && known:
			return fmt.Errorf("%s: announced twice", h.raw)
		case !m.full() && !known:
			return fmt.Errorf("%s: never announced", h.raw)
		case s.own == 0 && !m.full():
			return fmt.Errorf("%s: the first model is a delta", h.raw)
		case s.own == 0:
			s.own = m.ID
		}
		s.known[m.ID] = m.at()
	case "Disconnect", "Despawn":
		id := h.actor()
		if _, known := s.known[id]; !known || id == s.own {
			return fmt.Errorf("%s: of an actor that is not known, or its own", h.raw)
		}
		delete(s.known, id)
	}
	return nil
}
