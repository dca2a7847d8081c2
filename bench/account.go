package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
	"tavern/bench/target"
)

// state is what a server is like at rest.
type state struct {
	metrics  *target.Metrics
	rssBytes int64 // 0 when unknown
}

// kept are the metrics that must be exactly what they were when everybody has left:
// what the server holds for each, and whom it knows of.
var kept = []struct{ metric, name string }{
	{"go_goroutines", "goroutines"},
	{"process_open_fds", "fds"},
	{"ws_connections", "connections"},
	{"game_players", "players"},
	{"game_guests", "guests"},
	{"stream_blocked", "blocked"},
	{"account_queue", "account queue"},
	{"account_unsaved_positions", "unsaved"},
}

const heap = "go_memstats_heap_alloc_bytes"

// leaks lists what is not as it was before. The heap may be larger by a margin in MB.
func (s *state) leaks(before *state, margin float64) (lines []string) {
	for _, k := range kept {
		if was, is := before.metrics.Values[k.metric], s.metrics.Values[k.metric]; is != was {
			lines = append(lines, fmt.Sprintf("%s were %v, are %v", k.name, was, is))
		}
	}
	if grown := (s.metrics.Values[heap] - before.metrics.Values[heap]) / (1 << 20); grown > margin {
		lines = append(lines, fmt.Sprintf("the heap has grown by %.1f MB, more than %v", grown, margin))
	}
	return lines
}

// record shows the state.
func (s *state) record(name string) *report.Record {
	r := &report.Record{Mode: "leaks", Case: name}
	for _, k := range kept {
		r.Add(k.name, s.metrics.Values[k.metric], "")
	}
	r.Add("heap", s.metrics.Values[heap]/(1<<20), "MB")
	r.Add("heap in use", s.metrics.Values["go_memstats_heap_inuse_bytes"]/(1<<20), "MB")
	r.Add("RSS", float64(s.rssBytes)/(1<<20), "MB")
	return r
}

// rest waits until the server has come to rest and satisfies enough, or the patience
// has ended, and returns the last look; nil for a server without metrics.
func (l *lab) rest(ctx context.Context, lookEvery, patience time.Duration, enough func(*state) bool) (*state, error) {
	var last *state
	for began := swarm.Now(); ; {
		if !waitUntil(ctx, swarm.Now()+int64(lookEvery)) {
			return nil, context.Cause(ctx)
		}
		if err := l.server.Alive(); err != nil {
			return nil, err
		}
		m, err := l.server.Metrics(ctx)
		if err != nil {
			return nil, nil
		}
		s := &state{metrics: m}
		if usage, err := l.server.Usage(); err == nil {
			s.rssBytes = usage.RSSBytes
		}
		// Twice the same, and no heap given back in between.
		const still = 1 // MB
		settled := last != nil && len(s.leaks(last, still)) == 0 && len(last.leaks(s, still)) == 0
		if settled && enough(s) || swarm.Now()-began > int64(patience) {
			return s, nil
		}
		last = s
	}
}

// ledger is what the crowd did, to be compared with what the server says.
type ledger struct {
	said, heard, expected uint64 // chats of the room
	whole                 uint64 // said x listeners, the sender among them
	targets               uint64 // of the walkers
	churn                 swarm.ChurnResult
}

// take enters a settled run.
func (g *ledger) take(run *swarm.RunResult) {
	g.said += run.Chat.Said
	g.heard += run.Chat.HeardAll
	g.expected += run.Chat.Expected
	g.whole += run.Chat.Said * uint64(run.Chat.Receivers)
	if run.Walk != nil {
		g.targets += run.Walk.Targets
	}
	g.churn.Add(run.Churn)
}

// balance is one account: what it comes to must lie between least and most, which are
// the same unless connections ended in a way that leaves something open.
type balance struct {
	name        string
	got         float64
	least, most float64
}

func (b balance) holds() bool { return b.least <= b.got && b.got <= b.most }

func (b balance) record() *report.Record {
	r := &report.Record{Mode: "account", Case: b.name}
	r.Add("is", b.got, "")
	r.Add("at least", b.least, "")
	r.Add("at most", b.most, "")
	return r
}

// floodDrops is how many packets the server drops of one who floods before it closes.
const floodDrops = 64

// balances adds up everything that happened between two readings, the first with the
// room of so many filled, the second with nobody there.
func (g *ledger) balances(from, to *target.Metrics, room int) (all []balance) {
	exact := func(name string, got, want float64) { all = append(all, balance{name, got, want, want}) }
	tally := func(name string, got float64, sure float64, t swarm.Tally) {
		least := sure + float64(t.Sure)
		all = append(all, balance{name, got, least, least + float64(t.Perhaps)})
	}
	since := func(names ...string) (sum float64) {
		for _, name := range names {
			sum += to.Values[name] - from.Values[name]
		}
		return sum
	}
	labelled := func(metric, label string, values ...string) (sum float64) {
		for _, value := range values {
			series := metric + "{" + label + `="` + value + `"}`
			sum += to.Series[series] - from.Series[series]
		}
		return sum
	}
	closed := func(codes ...string) float64 { return labelled("ws_closed_total", "code", codes...) }
	c := &g.churn

	exact("delivered + own = said x listeners", float64(g.heard+g.said), float64(g.whole))

	exact("accepted = open + closed", to.Values["ws_accepted_total"], to.Values["ws_connections"]+to.Values["ws_closed_total"])
	tally("accepted = handshakes of the crowd", since("ws_accepted_total"), 0, c.Opened)
	exact("closed, normal = goodbyes", closed("normal"), float64(c.Goodbyes))
	tally("closed, abnormal = vanished", closed("abnormal"), float64(room), swarm.Tally{Sure: c.Vanished, Perhaps: c.Opened.Perhaps})
	exact("closed for a fault = faults", closed("protocol_error", "invalid_payload", "too_big"), since("ws_faults_total"))
	exact("closed for a rule = rules broken", closed("policy"), labelled("gate_closes_total", "reason", "banned", "flooding", "kicked", "malformed"))
	exact("slow consumers = closed, try later", since("ws_slow_consumer_total"), closed("try_later"))
	exact("slow consumers = slow readers that were ended", since("ws_slow_consumer_total"), g.slowEnded())

	exact("messages = what became of them", since("ws_messages_total"), since("codec_malformed_total", "gate_requests_total",
		"gate_ignored_total", "gate_waiting_full_total", "gate_abandoned_total", "game_packets_total", "game_ring_full_total")+
		labelled("gate_denies_total", "reason", "guests")) // chats where there are no guests
	exact("packets = what became of them", since("game_packets_total"), since("game_chats_total", "game_chats_empty_total",
		"game_chats_too_fast_total", "game_chats_muted_total", "game_commands_total", "game_targets_total",
		"game_targets_too_fast_total", "game_ignored_total"))
	tally("chats = said", since("game_chats_total"), float64(g.said), c.Sent.Chats)
	tally("empty chats = sent", since("game_chats_empty_total"), 0, c.Sent.Empty)
	tally("commands = sent", since("game_commands_total"), 0, c.Sent.Commands)
	tally("targets = sent", since("game_targets_total"), float64(g.targets), c.Sent.Targets)
	exact("over a rate, or muted", since("game_chats_too_fast_total", "game_chats_muted_total", "game_targets_too_fast_total"), 0)
	tally("registered = asked for", since("account_registered_total"), 0, c.Sent.Registered)
	tally("logins = asked for", since("account_logins_total"), 0, c.Sent.LoggedIn)
	tally("malformed packets = sent", since("codec_malformed_total"), 0, c.Sent.Malformed)
	tally("faults = sent", since("ws_faults_total"), 0, c.Sent.Faults)
	tally("closed for flooding = floods", since("gate_flooding_total"), 0, c.Sent.Floods)
	floods := c.Sent.Floods.Sure + c.Sent.Floods.Perhaps
	all = append(all, balance{"ring full, packets of floods", since("game_ring_full_total"), float64(c.Sent.Floods.Sure * floodDrops), float64(floods * swarm.FloodFrames)})
	exact("panics, refused writes, refused requests", since("ws_panics_total", "ws_backlog_full_total", "game_asked_full_total"), 0)
	return all
}

// slowEnded is how many slow readers the server has ended.
func (g *ledger) slowEnded() (n float64) {
	for fate, count := range g.churn.Slow {
		if !strings.HasSuffix(fate, ": kept") {
			n += float64(count)
		}
	}
	return n
}
