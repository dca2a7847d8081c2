package main

import (
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tavern/game"
	"tavern/game/account"
	"tavern/game/stream"
	"tavern/server/moderation"
	"tavern/server/ws"
)

// counts are the gate's own counters. Any goroutine.
type counts struct {
	ignored     atomic.Uint64
	flooding    atomic.Uint64
	waitingFull atomic.Uint64
	abandoned   atomic.Uint64
	requests    atomic.Uint64
	registered  atomic.Uint64
	logins      atomic.Uint64
	turnedAway  atomic.Uint64
	denies      *prometheus.CounterVec
	closes      *prometheus.CounterVec
	bad         *prometheus.CounterVec
}

func (c *counts) malformed(label string) { c.bad.WithLabelValues(label).Inc() }

// metrics is everything behind /metrics. The packages count in plain atomics;
// they are read when somebody looks.
type metrics struct {
	registry   *prometheus.Registry
	work, late prometheus.Histogram
	hash       prometheus.Histogram
	bad        *prometheus.CounterVec
	denies     *prometheus.CounterVec
	closes     *prometheus.CounterVec

	// For the operator's page, in nanoseconds: of all ticks, and the longest since
	// somebody looked.
	worked, maxWork, maxLate atomic.Int64
}

func newMetrics() *metrics {
	ticks := []float64{.0001, .00025, .0005, .001, .002, .003, .004, .005, .0075, .01, .015, .02, .025, .035, .05, .075, .1, .25, .5, 1}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		work: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "game_tick_seconds", Help: "Work of a tick.", Buckets: ticks}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "game_tick_late_seconds", Help: "How late a tick began.", Buckets: ticks}),
		hash: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "account_hash_seconds", Help: "Time that hashing a password took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}}),
		bad: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "codec_malformed_total", Help: "Packets refused by the codec, by reason."}, []string{"reason"}),
		denies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gate_denies_total", Help: "Denies sent past the loop, by reason."}, []string{"reason"}),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gate_closes_total", Help: "Connections closed for breaking a rule, by reason."}, []string{"reason"}),
	}
	// A series that is there from the start shows its first step.
	for _, label := range denyLabels() {
		m.denies.WithLabelValues(label)
	}
	for _, label := range []string{closeBanned, closeFlooding, closeMalformed} {
		m.closes.WithLabelValues(label)
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tavern_build_info", Help: "1, with the version of this server in the labels.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit(), "go": runtime.Version()}})
	build.Set(1)
	m.registry.MustRegister(m.work, m.late, m.hash, m.bad, m.denies, m.closes, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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

// denyLabels are all reasons that a Deny is counted by.
func denyLabels() []string {
	labels := []string{denyAttempts, denyRegistrations, denyRequests, "banned", "guests", "internal", "malformed", "other"}
	return slices.AppendSeq(labels, maps.Values(refusals))
}

// tick notes one tick. The loop's goroutine.
func (m *metrics) tick(work, late time.Duration) {
	m.work.Observe(work.Seconds())
	m.late.Observe(late.Seconds())
	m.worked.Add(int64(work))
	// The page swaps zero in meanwhile: then this tick counts for the second before.
	m.maxWork.Store(max(m.maxWork.Load(), int64(work)))
	m.maxLate.Store(max(m.maxLate.Load(), int64(late)))
}

// routes adds /metrics to mux.
func (m *metrics) routes(mux *http.ServeMux) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
}

func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

func (m *metrics) counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

func (m *metrics) total(name, help string, c *atomic.Uint64) {
	m.counter(name, help, func() float64 { return float64(c.Load()) })
}

// register names what the packages count.
func (m *metrics) register(loop *game.Loop, accounts *account.Store, edge *ws.Server, g *gate, o *office) {
	m.registerGame(loop)
	if o.admin != nil {
		m.counter("admin_login_failures_total", "Wrong tokens for the operator's page and API.", func() float64 { return float64(o.admin.LoginFailures()) })
	}
	m.total("gate_ignored_total", "Packets that made no sense before or after login.", &g.counts.ignored)
	m.total("gate_flooding_total", "Connections closed for flooding.", &g.counts.flooding)
	m.total("gate_turned_away_total", "Requests of banned addresses.", &g.counts.turnedAway)
	m.total("gate_waiting_full_total", "Packets dropped because a login was under way.", &g.counts.waitingFull)
	m.total("gate_abandoned_total", "Packets dropped because their connection ended before its login was answered.", &g.counts.abandoned)
	m.total("gate_requests_total", "Registrations and logins asked for, granted or not.", &g.counts.requests)
	m.total("account_registered_total", "Accounts made.", &g.counts.registered)
	m.total("account_logins_total", "Logins granted.", &g.counts.logins)
	m.registry.MustRegister(edgeCollector{edge}, actionCollector{g.desk})
	m.counter("moderation_commands_full_total", "Chat commands refused because too many waited.", func() float64 { return float64(g.desk.CommandsFull()) })

	m.gauge("account_queue", "Registrations and logins that wait for a worker.", func() float64 { return float64(accounts.Stats().Queued) })
	m.gauge("account_queue_capacity", "How many may wait; more are refused.", func() float64 { return float64(accounts.Stats().QueueCapacity) })
	m.counter("account_busy_total", "Registrations and logins refused because too many waited.", func() float64 { return float64(accounts.Stats().Busy) })
	m.counter("account_rehashed_total", "Passwords whose hash was brought to the configured cost.", func() float64 { return float64(accounts.Stats().Rehashed) })
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

// registerGame names what the loop and its writers count.
func (m *metrics) registerGame(loop *game.Loop) {
	st, wr := loop.Stats(), loop.WriterStats()
	m.gauge("game_players", "Logged-in players in the world.", func() float64 { return float64(st.Players.Load()) })
	m.gauge("game_guests", "Guests in the chat room.", func() float64 { return float64(st.Guests.Load()) })
	m.total("game_ticks_total", "Ticks run.", &st.Ticks)
	m.total("game_ticks_dropped_total", "Late ticks that were not caught up.", &st.TicksDropped)
	m.total("game_packets_total", "Packets taken from the players' rings.", &st.Packets)
	m.total("game_ignored_total", "Packets that made no sense in the player's state.", &st.Ignored)
	m.total("game_ring_full_total", "Packets dropped because their sender was flooding.", &st.RingFull)
	m.total("game_chats_total", "Chats said.", &st.Chats)
	m.total("game_chats_empty_total", "Chats dropped for having no text.", &st.ChatsEmpty)
	m.total("game_chats_too_fast_total", "Chats dropped for being over the rate.", &st.ChatsTooFast)
	m.total("game_chats_muted_total", "Chats dropped because their sender is muted.", &st.Muted)
	m.total("game_commands_total", "Chats that began with a slash.", &st.Commands)
	m.total("game_asked_full_total", "Requests refused because too many waited for the loop.", &st.AskedFull)
	m.total("game_targets_total", "Targets taken.", &st.Targets)
	m.total("game_targets_too_fast_total", "Targets dropped for being over the rate.", &st.TargetsTooFast)
	m.total("game_deltas_total", "Steps of walking actors.", &st.Deltas)

	m.total("stream_visits_total", "Visits of a writer to a player.", &wr.Visits)
	m.total("stream_writes_total", "Writes to players.", &wr.Writes)
	m.total("stream_bytes_total", "Bytes written to players by the writers.", &wr.Bytes)
	m.total("stream_copied_bytes_total", "Of those, bytes gathered from several places first.", &wr.Copied)
	m.total("stream_passes_total", "Passes of the writers over players with news.", &wr.Passes)
	m.counter("stream_pass_seconds_total", "Time spent in passes.", func() float64 { return float64(wr.PassNanos.Load()) / 1e9 })
	m.total("ws_slow_consumer_total", "Players closed for reading too slowly.", &wr.SlowConsumers)
	m.gauge("stream_blocked", "Players with an unflushed write.", func() float64 { return float64(wr.Blocked.Load()) })
	m.gauge("stream_lag_bytes", "How far the slowest player with an unflushed write is behind.", func() float64 { return float64(wr.MaxLag()) })
	m.registry.MustRegister(frameCollector{wr})
}

// edgeCollector reads the edge's counters when somebody looks.
type edgeCollector struct{ edge *ws.Server }

var (
	descConnections = prometheus.NewDesc("ws_connections", "Open connections.", nil, nil)
	descAccepted    = prometheus.NewDesc("ws_accepted_total", "Connections that opened.", nil, nil)
	descClosed      = prometheus.NewDesc("ws_closed_total", "Connections that ended, by close code.", []string{"code"}, nil)
	descRefused     = prometheus.NewDesc("ws_refused_total", "Handshakes refused, by reason.", []string{"reason"}, nil)
	descFaults      = prometheus.NewDesc("ws_faults_total", "Breaches of RFC 6455 by clients, by rule.", []string{"rule"}, nil)
	descMessages    = prometheus.NewDesc("ws_messages_total", "Messages received.", nil, nil)
	descBytesIn     = prometheus.NewDesc("ws_received_bytes_total", "Bytes read from connections.", nil, nil)
	descBytesOut    = prometheus.NewDesc("ws_sent_bytes_total", "Bytes taken by the kernel.", nil, nil)
	descOverflows   = prometheus.NewDesc("ws_backlog_full_total", "Writes refused because too much was pending.", nil, nil)
	descTruncated   = prometheus.NewDesc("ws_truncated_total", "Closed connections that did not read their backlog in time.", nil, nil)
	descSilent      = prometheus.NewDesc("ws_silent_total", "Connections closed because pings went unanswered.", nil, nil)
	descTLS         = prometheus.NewDesc("ws_tls_faults_total", "Connections closed because what came was no TLS record of theirs.", nil, nil)
	descPanics      = prometheus.NewDesc("ws_panics_total", "Panics of the packet handler, each of which closed one connection.", nil, nil)
)

// Describe sends nothing: what is collected may grow. See prometheus.Collector.
func (e edgeCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descConnections }

// Collect reads the counters. See prometheus.Collector.
func (e edgeCollector) Collect(ch chan<- prometheus.Metric) {
	c := e.edge.Counters()
	total := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	ch <- prometheus.MustNewConstMetric(descConnections, prometheus.GaugeValue, float64(c.Open))
	total(descAccepted, c.Accepted)
	total(descMessages, c.Messages)
	total(descBytesIn, c.BytesIn)
	total(descBytesOut, c.BytesOut)
	total(descOverflows, c.Overflows)
	total(descTruncated, c.Truncated)
	total(descPanics, c.Panics)
	total(descSilent, c.Silent)
	total(descTLS, c.TLS)
	for code, n := range c.Closed {
		total(descClosed, n, code)
	}
	for reason, n := range c.Refused {
		total(descRefused, n, reason)
	}
	for rule, n := range c.Faults {
		total(descFaults, n, rule)
	}
}

// frameCollector makes a histogram of the writers' samples.
type frameCollector struct{ stats *stream.Stats }

var descFrames = prometheus.NewDesc("stream_frames_per_write", "Frames in one write to a player, of one write in 64.", nil, nil)

// Describe names the histogram. See prometheus.Collector.
func (f frameCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descFrames }

// Collect reads the samples. See prometheus.Collector.
func (f frameCollector) Collect(ch chan<- prometheus.Metric) {
	frames := &f.stats.FramesPerWrite
	buckets := make(map[float64]uint64, len(frames.Buckets))
	count := uint64(0)
	for i := range frames.Buckets {
		count += frames.Buckets[i].Load()
		if i < len(frames.Buckets)-1 { // the last one has no bound but +Inf
			buckets[float64(uint64(1)<<i)] = count
		}
	}
	ch <- prometheus.MustNewConstHistogram(descFrames, count, float64(frames.Sum.Load()), buckets)
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
