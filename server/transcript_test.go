package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// differences are all the ways in which our server means to say something else
// than the one that was recorded, each with the reason. The replay of a recording
// fails when there is any other, and when one that is listed for it makes no
// difference any more.
var differences = map[string]string{
	"raw UTF-8":                 "strings are sent as they are, Godot 3 shows escaped emoji as garbage; JSON is compared, and the form checked",
	"without TLS":               "this test speaks to the plain port",
	"announced once":            "the old server sends a full model two or three times, ours once",
	"announced first":           "the old server sends a newcomer steps of actors that it has not announced, and before its own model",
	"both coordinates":          "a delta has x and y, also when one of them stays the same",
	"two decimals":              "coordinates are rounded",
	"arrives":                   "a walk ends exactly on its target, and the old one up to two steps before",
	"every tick":                "a step is told every 50 ms, the old server tells fewer the more are walking",
	"sender overwritten":        "a chat bears the name of the account",
	"number as text":            "a number in a chat is relayed as its text",
	"no empty chat":             "an empty chat is dropped",
	"no account without a name": "as the newest recorded server has it",
	"one login per account":     "as the newest recorded server has it",
	"no actors in lesson 2":     "the lesson-2 server has no world, ours shows it to everybody; its client ignores what it does not know",
	"avatar always":             "the lesson-4 server has no avatars, ours sends the number 0",
	"echoes the close code":     "the answer to a close frame bears its code, as RFC 6455 suggests",
}

// TestTranscripts replays the recorded sessions of the tutorial's servers and
// clients.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	game := []string{"announced once", "both coordinates", "two decimals", "arrives", "every tick"}
	chat := []string{"raw UTF-8", "number as text", "no empty chat"}
	players := slices.Concat(chat, []string{"sender overwritten", "echoes the close code"})
	older := []string{"no account without a name", "one login per account"}
	for _, c := range []struct {
		name        string
		args        []string
		differences []string
	}{
		{"v0.1", []string{"-guests", "on-connect"}, chat},
		{"v0.2", nil, slices.Concat(players, older, []string{"no actors in lesson 2"})},
		{"v0.4", nil, slices.Concat(players, older, game, []string{"avatar always"})},
		{"v1.0", nil, slices.Concat(players, older, game)},
		{"v1.1", nil, slices.Concat(players, game, []string{"announced first", "without TLS"})},
		{"godot-client-v0.1", []string{"-guests", "on-connect"}, []string{"raw UTF-8"}},
		{"godot-client-v1.0", nil, []string{"raw UTF-8", "announced once", "two decimals", "arrives", "every tick"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lines := transcript(t, c.name)
			// What took the clients of then half a minute, ours say at once.
			s := startServer(t, append(c.args, "-chat-rate", "0")...)
			r := newReplay(t, s)
			r.onConnect = slices.Contains(c.args, "on-connect")
			r.flat = slices.Contains(c.differences, "no actors in lesson 2")
			if slices.Contains(c.differences, "one login per account") {
				lines = r.asNewest(lines, transcript(t, "v1.1"))
			}
			r.run(lines)
			for _, name := range c.differences {
				if !r.used[name] {
					t.Errorf("%q made no difference", name)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(r.used)) {
				if !slices.Contains(c.differences, name) {
					t.Errorf("an unlisted difference: %s: %s", name, differences[name])
				}
			}
		})
	}
}

// newer are the steps of the older recordings in which ours does as the newest.
var newer = map[string]string{
	"register with empty username":     "no account without a name",
	"C logs in as alice a second time": "one login per account",
	"C registers carol & logs in":      "one login per account",
	"C closes cleanly (1000)":          "one login per account",
}

// asNewest takes what the servers said in those steps from the newest recording.
func (r *replay) asNewest(lines, newest []recorded) (out []recorded) {
	avatars := slices.ContainsFunc(lines, func(l recorded) bool { return strings.Contains(l.Payload, `"avatar_id"`) })
	answers := make(map[string][]recorded)
	for step, chunk := range stepsIn(newest) {
		answers[step] = chunk
	}
	for step, chunk := range stepsIn(lines) {
		difference, ok := newer[step]
		if !ok {
			out = append(out, chunk...)
			continue
		}
		r.differs(difference)
		own := slices.DeleteFunc(slices.Clone(chunk), func(l recorded) bool { return !l.sent() })
		out = append(out, chunk[0])
		for _, l := range answers[step][1:] {
			switch {
			case l.sent(): // the older client's instead
				l, own = own[0], own[1:]
			case !avatars:
				l.Payload = withoutAvatar.ReplaceAllString(l.Payload, "")
			}
			out = append(out, l)
		}
		if len(own) > 0 {
			r.t.Fatalf("%s: the older client did more than the newest", step)
		}
	}
	return out
}

var withoutAvatar = regexp.MustCompile(`,?"avatar_id":\d+`)

// digest is what is compared of a packet.
func digest(h *heard) string {
	if m, ok := h.model(); ok {
		return digestModel(m)
	}
	var p0, p1 any
	_, _ = json.Unmarshal(h.p0, &p0), json.Unmarshal(h.p1, &p1)
	return fmt.Sprintf("%s %#v %#v", h.action, p0, p1)
}

// digestModel is what is compared of a full model: all but its place.
func digestModel(m model) string {
	avatar := -1
	if m.Avatar != nil {
		avatar = *m.Avatar
	}
	e, i := m.Instance.Entity, m.Instance
	return fmt.Sprintf("Model %s %d user %d avatar %d, %s %d, %s %d", e.Name, m.ID, *m.User, avatar, i.ModelType, i.ID, e.ModelType, e.ID)
}

// told is what ours said that is compared: all but the steps.
func (r *replay) told(all []heard) (list []heard) {
	for _, h := range all {
		m, isModel := h.model()
		switch {
		case r.flat && (isModel || h.action == "Disconnect"):
			r.differs("no actors in lesson 2")
		case isModel && !m.full():
		default:
			list = append(list, h)
		}
	}
	return list
}

// compare looks at what everybody has heard in the end.
func (r *replay) compare() {
	for _, who := range slices.Sorted(maps.Keys(r.peers)) {
		all := r.peers[who].soFar()
		wants, told := r.wants[who], r.told(all)
		wrong := ownFirst(r.names[who], wants, func(w want) string { return w.text }) ||
			ownFirst(r.names[who], told, func(h heard) string { return digest(&h) })
		if wrong {
			r.t.Errorf("%s is not told of itself first behind its Ok: %s", who, r.peers[who].lastWords())
		}
		for i := range max(len(wants), len(told)) {
			switch {
			case i >= len(told):
				r.t.Errorf("%s misses what line %d has: %s", who, wants[i].n, wants[i].text)
			case i >= len(wants):
				r.t.Errorf("%s hears more than is recorded: %s", who, told[i].raw)
			case wants[i].text != digest(&told[i]):
				r.t.Errorf("%s hears %s, want %s as in line %d", who, told[i].raw, wants[i].text, wants[i].n)
			case wants[i].at != nil:
				m, _ := told[i].model()
				if err := wants[i].at(m.at()); err != nil {
					r.t.Errorf("%s is shown %s %v (line %d)", who, m.name(), err, wants[i].n)
				}
			}
		}
		if steps := r.compareWalks(who, all); steps != r.moves[who] {
			r.differs("every tick")
		}
	}
}

// ownFirst brings the models that follow one's own into a fixed order: it is
// free. It tells whether the own one is not the first behind the Ok.
func ownFirst[T any](name string, list []T, text func(T) string) (wrong bool) {
	for i := range list {
		if !strings.HasPrefix(text(list[i]), "Model "+name+" ") {
			continue
		}
		wrong = wrong || i == 0 || !strings.HasPrefix(text(list[i-1]), "Ok")
		others := list[i+1:]
		if end := slices.IndexFunc(others, func(v T) bool { return !strings.HasPrefix(text(v), "Model ") }); end >= 0 {
			others = others[:end]
		}
		slices.SortFunc(others, func(a, b T) int { return strings.Compare(text(a), text(b)) })
	}
	return wrong
}

// compareWalks checks that every actor went where the recording's went, and
// counts the steps.
func (r *replay) compareWalks(who string, all []heard) (steps int) {
	at, passed := make(map[int64]point), make(map[int64]int)
	for _, h := range all {
		m, ok := h.model()
		if !ok || r.flat {
			continue
		}
		if last := at[m.ID]; !m.full() {
			steps++
			n, err := followed(last, m.at(), r.heads[m.ID].targets[passed[m.ID]:])
			if err != nil {
				r.t.Errorf("%s hears %s: %v", who, h.raw, err)
			}
			passed[m.ID] += n
		}
		at[m.ID] = m.at()
	}
	return steps
}
