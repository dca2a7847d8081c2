package main

import (
	"maps"
	"strings"
	"testing"

	"tavern/bench/swarm"
	"tavern/bench/target"
)

// clean is what a server says, and a crowd did, whose accounts add up.
func clean() (*ledger, *target.Metrics) {
	g := &ledger{said: 100, heard: 900, expected: 900, whole: 1000, targets: 40}
	g.churn = swarm.ChurnResult{
		Opened: swarm.Tally{Sure: 50, Perhaps: 1}, Goodbyes: 20, Vanished: 15,
		Slow: map[string]int{"stop: 1013": 1, "trickle: cut off": 2, "doze: kept": 3},
		Sent: swarm.Sent{
			Chats: swarm.Tally{Sure: 10, Perhaps: 2}, Commands: swarm.Tally{Sure: 5}, Empty: swarm.Tally{Sure: 6},
			Targets: swarm.Tally{Sure: 7}, Malformed: swarm.Tally{Sure: 8}, Faults: swarm.Tally{Sure: 9}, Floods: swarm.Tally{Sure: 1},
			Registered: swarm.Tally{Sure: 21}, LoggedIn: swarm.Tally{Sure: 22},
		},
	}
	m := &target.Metrics{Values: map[string]float64{
		"ws_accepted_total": 60, "ws_closed_total": 60, "ws_connections": 0,
		"ws_faults_total": 9, "gate_flooding_total": 1, "ws_slow_consumer_total": 3,
		"game_packets_total": 110 + 6 + 5 + 47 + 12, "game_chats_total": 110, "game_chats_empty_total": 6,
		"game_commands_total": 5, "game_targets_total": 47, "game_ignored_total": 12, "game_ring_full_total": 70,
		"codec_malformed_total": 8, "gate_requests_total": 45, "gate_abandoned_total": 3,
		"ws_messages_total":        8 + 45 + 3 + 180 + 70,
		"account_registered_total": 21, "account_logins_total": 22,
	}, Series: map[string]float64{
		`ws_closed_total{code="normal"}`: 20, `ws_closed_total{code="abnormal"}`: 25, `ws_closed_total{code="policy"}`: 3,
		`gate_closes_total{reason="flooding"}`: 1, `gate_closes_total{reason="malformed"}`: 2,
		`ws_closed_total{code="try_later"}`: 3, `ws_closed_total{code="protocol_error"}`: 5,
		`ws_closed_total{code="invalid_payload"}`: 2, `ws_closed_total{code="too_big"}`: 2,
	}}
	return g, m
}

// before is the reading with the room of ten filled: they were accepted already.
func before() *target.Metrics {
	return &target.Metrics{Values: map[string]float64{"ws_accepted_total": 10, "ws_connections": 10}, Series: map[string]float64{}}
}

func broken(g *ledger, m *target.Metrics) (names []string) {
	for _, b := range g.balances(before(), m, 10) {
		if !b.holds() {
			names = append(names, b.name)
		}
	}
	return names
}

func TestBalances(t *testing.T) {
	g, m := clean()
	if names := broken(g, m); len(names) > 0 {
		t.Fatalf("accounts that add up do not: %v", names)
	}
	g.churn.Sent.Chats.Perhaps, m.Values["game_chats_total"] = 2, 112
	m.Values["game_packets_total"] += 2
	m.Values["ws_messages_total"] += 2
	if names := broken(g, m); len(names) > 0 {
		t.Errorf("chats that may have been taken were, and %v do not add up", names)
	}
}

// One more or less of anything must break an account.
func TestBalancesFindErrors(t *testing.T) {
	_, first := clean()
	values := maps.Clone(first.Values)
	delete(values, "ws_closed_total")
	for _, name := range []string{"ws_panics_total", "ws_backlog_full_total", "game_chats_muted_total", "game_chats_too_fast_total"} {
		values[name] = 0
	}
	for name := range values {
		for _, by := range []float64{-1, 1} {
			g, m := clean()
			if name == "game_ring_full_total" { // a flood's packets are dropped by chance
				by *= swarm.FloodFrames
			}
			m.Values[name] += by
			if len(broken(g, m)) == 0 {
				t.Errorf("%s is wrong by %v, and everything adds up", name, by)
			}
		}
	}
	for series := range first.Series {
		g, m := clean()
		m.Series[series] += 2 // one abnormal end may be of a handshake that was cut off
		if len(broken(g, m)) == 0 {
			t.Errorf("%s is wrong, and everything adds up", series)
		}
	}
	for name, change := range map[string]func(g *ledger){
		"a delivery lost":    func(g *ledger) { g.heard-- },
		"a delivery doubled": func(g *ledger) { g.heard++ },
		"a slow reader kept": func(g *ledger) { g.churn.Slow["stop: 1013"]-- },
	} {
		g, m := clean()
		change(g)
		if len(broken(g, m)) == 0 {
			t.Errorf("%s, and everything adds up", name)
		}
	}
}

func TestLeaks(t *testing.T) {
	rest := func() *state {
		return &state{metrics: &target.Metrics{Values: map[string]float64{
			"go_goroutines": 23, "process_open_fds": 29, heap: 5 << 20, "account_queue": 0,
		}}}
	}
	if lines := rest().leaks(rest(), 8); len(lines) > 0 {
		t.Errorf("nothing has changed: %v", lines)
	}
	for _, k := range kept {
		for _, by := range []float64{-1, 1} {
			after := rest()
			after.metrics.Values[k.metric] += by
			if lines := after.leaks(rest(), 8); len(lines) != 1 || !strings.Contains(lines[0], k.name) {
				t.Errorf("%s has changed by %v: %v", k.metric, by, lines)
			}
		}
	}
	for grown, want := range map[float64]int{-3: 0, 7.9: 0, 8.1: 1} {
		after := rest()
		after.metrics.Values[heap] += grown * (1 << 20)
		if lines := after.leaks(rest(), 8); len(lines) != want {
			t.Errorf("the heap has grown by %v MB: %v", grown, lines)
		}
	}
}
