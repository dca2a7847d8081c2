package main

import (
	"maps"
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"tavern/game"
	"tavern/game/account"
	"tavern/server/moderation"
)

// counts are the gate's own counters. Any goroutine.
type counts struct {
	ignored     atomic.Uint64
	waitingFull atomic.Uint64
	abandoned   atomic.Uint64 // dropped with their connection
	requests    atomic.Uint64
	registered  atomic.Uint64
	logins      atomic.Uint64
	turnedAway  atomic.Uint64
	denies      tally // past the loop
	closes      tally // for breaking a rule
	malformed   *prometheus.CounterVec
}

func newCounts(m *metrics) counts {
	denies := []string{denyAttempts, denyRegistrations, denyRequests, "banned", "guests", "internal", "malformed", "other"}
	return counts{
		denies:    newTally(slices.AppendSeq(denies, maps.Values(refusals))...),
		closes:    newTally(closeBanned, closeFlooding, closeMalformed, "other"),
		malformed: m.malformed,
	}
}

// Why the gate closes connections, in metrics.
const (
	closeBanned    = "banned"
	closeFlooding  = "flooding"
	closeMalformed = "malformed"
)

// refusals are what metrics call the accounts' refusals.
var refusals = map[*account.Refusal]string{
	account.ErrEmpty: "empty", account.ErrTaken: "taken", account.ErrWrong: "wrong", account.ErrLoggedIn: "logged_in",
	account.ErrNameLength: "name", account.ErrNameCharacters: "name", account.ErrNameSpaces: "name",
	account.ErrPasswordLength: "password", account.ErrBusy: "busy", account.ErrClosed: "closed",
}

func refusalLabel(r *account.Refusal) string {
	if label, ok := refusals[r]; ok {
		return label
	}
	return "other"
}

var (
	descDenies = prometheus.NewDesc("gate_denies_total", "Denies sent, by reason.", []string{"reason"}, nil)
	descCloses = prometheus.NewDesc("gate_closes_total", "Connections that the server closed, by reason.", []string{"reason"}, nil)
)

// denies are all that are sent: the gate's and the loop's.
func (p parts) denies(each func(reason string, n uint64)) {
	p.gate.counts.denies.each(each)
	for why := range game.Denials {
		each(why.String(), p.loop.Stats().Denies[why].Load())
	}
}

// closes are all that the server decided on: the gate's, the desk's, the writers'
// and the edge's.
func (p parts) closes(each func(reason string, n uint64)) {
	p.gate.counts.closes.each(func(reason string, n uint64) {
		if reason == closeBanned { // on the way in, and while inside
			n += p.gate.desk.Expelled()
		}
		each(reason, n)
	})
	each("kicked", p.gate.desk.Kicked())
	each("slow_consumer", p.loop.WriterStats().SlowConsumers.Load())
	c := p.edge.Counters()
	each("backlog", c.Overflows)
	each("silent", c.Silent)
	each("shutdown", c.Stopped)
	faults := uint64(0)
	for _, n := range c.Faults {
		faults += n
	}
	each("protocol", faults)
	each("tls", c.TLS)
	each("panic", c.Panics)
}

// registerGate names what the gate counts besides.
func (m *metrics) registerGate(g *gate) {
	m.total("gate_ignored_total", "Packets that made no sense before or after login.", &g.counts.ignored)
	m.total("gate_flooding_total", "Connections closed for flooding.", g.counts.closes[closeFlooding])
	m.total("gate_turned_away_total", "Requests of banned addresses.", &g.counts.turnedAway)
	m.total("gate_waiting_full_total", "Packets dropped because a login was under way.", &g.counts.waitingFull)
	m.total("gate_abandoned_total", "Packets dropped because their connection ended before its login was answered.", &g.counts.abandoned)
	m.total("gate_requests_total", "Registrations and logins asked for, granted or not.", &g.counts.requests)
	m.total("account_registered_total", "Accounts made.", &g.counts.registered)
	m.total("account_logins_total", "Logins granted.", &g.counts.logins)
}

// registerAccounts names what the accounts count.
func (m *metrics) registerAccounts(accounts *account.Store) {
	m.gauge("account_queue", "Registrations and logins that wait for a worker.", func() float64 { return float64(accounts.Stats().Queued) })
	m.gauge("account_queue_capacity", "How many may wait; more are refused.", func() float64 { return float64(accounts.Stats().QueueCapacity) })
	m.counter("account_busy_total", "Registrations and logins refused because too many waited.", func() float64 { return float64(accounts.Stats().Busy) })
	m.counter("account_rehashed_total", "Passwords whose hash was brought to the configured cost.", func() float64 { return float64(accounts.Stats().Rehashed) })
	m.counter("account_failed_total", "Registrations and logins that the database did not let us grant.", func() float64 { return float64(accounts.Stats().Failed) })
	m.counter("account_panics_total", "Panics in the work on registrations, logins and positions.", func() float64 { return float64(accounts.Stats().Panics) })
	m.gauge("account_unsaved_positions", "Positions that are not on disk yet.", func() float64 { return float64(accounts.Stats().Unsaved) })
	m.counter("account_saved_positions_total", "Positions written.", func() float64 { return float64(accounts.Stats().Saved) })
	m.counter("account_save_errors_total", "Batches of positions that could not be written.", func() float64 { return float64(accounts.Stats().SaveErrors) })
	m.gauge("account_saver_failing", "1 while positions cannot be written.", func() float64 {
		if accounts.SaverError() != nil {
			return 1
		}
		return 0
	})
}

// registerModeration names what operators and moderators do.
func (m *metrics) registerModeration(g *gate, o *office) {
	if o.admin != nil {
		m.counter("admin_login_failures_total", "Wrong tokens for the operator's page and API.", func() float64 { return float64(o.admin.LoginFailures()) })
	}
	m.registry.MustRegister(actionCollector{g.desk})
	m.counter("moderation_panics_total", "Panics in chat commands.", func() float64 { return float64(g.desk.Panics()) })
	m.counter("moderation_commands_full_total", "Chat commands refused because too many waited.", func() float64 { return float64(g.desk.CommandsFull()) })
}

// actionCollector reads what operators and moderators did.
type actionCollector struct{ desk *moderation.Desk }

var descActions = prometheus.NewDesc("moderation_actions_total", "What operators and moderators did, by action.", []string{"action"}, nil)

// Describe names the counter. See prometheus.Collector.
func (a actionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descActions }

// Collect reads the counts. See prometheus.Collector.
func (a actionCollector) Collect(ch chan<- prometheus.Metric) {
	a.desk.Counts(func(action string, n uint64) {
		ch <- prometheus.MustNewConstMetric(descActions, prometheus.CounterValue, float64(n), action)
	})
}
