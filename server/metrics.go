package main

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tavern/game"
	"tavern/game/account"
	"tavern/server/ws"
)

// counts are the gate's own counters. Any goroutine.
type counts struct {
	ignored     atomic.Uint64
	flooding    atomic.Uint64
	waitingFull atomic.Uint64
	registered  atomic.Uint64
	logins      atomic.Uint64
	denies      atomic.Uint64
	bad         *prometheus.CounterVec
}

func (c *counts) malformed(label string) { c.bad.WithLabelValues(label).Inc() }

// metrics is everything behind /metrics. The packages count in plain atomics;
// they are read when somebody looks.
type metrics struct {
	registry   *prometheus.Registry
	work, late prometheus.Histogram
	bad        *prometheus.CounterVec
}

func newMetrics() *metrics {
	ticks := []float64{.0001, .00025, .0005, .001, .002, .003, .004, .005, .0075, .01, .015, .02, .025, .035, .05, .075, .1, .25, .5, 1}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		work: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "game_tick_seconds", Help: "Work of a tick.", Buckets: ticks}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "game_tick_late_seconds", Help: "How late a tick began.", Buckets: ticks}),
		bad: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "codec_malformed_total", Help: "Packets refused by the codec, by reason."}, []string{"reason"}),
	}
	m.registry.MustRegister(m.work, m.late, m.bad, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// tick notes one tick. The loop's goroutine.
func (m *metrics) tick(work, late time.Duration) {
	m.work.Observe(work.Seconds())
	m.late.Observe(late.Seconds())
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
func (m *metrics) register(loop *game.Loop, accounts *account.Store, edge *ws.Server, g *gate) {
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
	m.total("game_targets_total", "Targets taken.", &st.Targets)
	m.total("game_deltas_total", "Steps of walking actors.", &st.Deltas)

	m.total("stream_visits_total", "Visits of a writer to a player.", &wr.Visits)
	m.total("stream_writes_total", "Writes to players.", &wr.Writes)
	m.total("stream_bytes_total", "Bytes written to players by the writers.", &wr.Bytes)
	m.total("stream_copied_bytes_total", "Of those, bytes gathered from several places first.", &wr.Copied)
	m.total("stream_passes_total", "Passes of the writers over players with news.", &wr.Passes)
	m.counter("stream_pass_seconds_total", "Time spent in passes.", func() float64 { return float64(wr.PassNanos.Load()) / 1e9 })
	m.total("ws_slow_consumer_total", "Players closed for reading too slowly.", &wr.SlowConsumers)
	m.gauge("stream_blocked", "Players with an unflushed write.", func() float64 { return float64(wr.Blocked.Load()) })

	m.total("gate_ignored_total", "Packets that made no sense before or after login.", &g.counts.ignored)
	m.total("gate_flooding_total", "Connections closed for flooding.", &g.counts.flooding)
	m.total("gate_waiting_full_total", "Packets dropped because a login was under way.", &g.counts.waitingFull)
	m.total("account_registered_total", "Accounts made.", &g.counts.registered)
	m.total("account_logins_total", "Logins granted.", &g.counts.logins)
	m.total("gate_denies_total", "Denies sent past the loop.", &g.counts.denies)

	m.registry.MustRegister(edgeCollector{edge})
	m.gauge("account_queue", "Registrations and logins that wait for a worker.", func() float64 { return float64(accounts.Stats().Queued) })
	m.gauge("account_unsaved_positions", "Positions that are not on disk yet.", func() float64 { return float64(accounts.Stats().Unsaved) })
	m.counter("account_save_errors_total", "Batches of positions that could not be written.", func() float64 { return float64(accounts.Stats().SaveErrors) })
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
