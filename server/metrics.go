package main

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tavern/game"
	"tavern/game/account"
	"tavern/server/ws"
)

// metrics is everything behind /metrics. The packages count in plain atomics;
// they are read when somebody looks.
type metrics struct {
	registry   *prometheus.Registry
	work, late prometheus.Histogram
	hash       prometheus.Histogram
	malformed  *prometheus.CounterVec

	// For the operator's page, in nanoseconds: of all ticks, and the longest since
	// somebody looked.
	worked, maxWork, maxLate atomic.Int64

	webPanics atomic.Uint64
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
		malformed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "codec_malformed_total", Help: "Packets refused by the codec, by reason."}, []string{"reason"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tavern_build_info", Help: "1, with the version of this server in the labels.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit(), "go": runtime.Version()}})
	build.Set(1)
	m.registry.MustRegister(m.work, m.late, m.hash, m.malformed, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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

// handler answers with the numbers of now.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// parts are those of the server that count.
type parts struct {
	loop     *game.Loop
	accounts *account.Store
	edge     *ws.Server
	front    *ws.FrontListener
	gate     *gate
	office   *office
}

// register names what the parts count.
func (m *metrics) register(p parts) {
	m.registerGame(p.loop)
	m.registerWriters(p.loop)
	m.registerGate(p.gate)
	m.registerAccounts(p.accounts)
	m.registerModeration(p.gate, p.office)
	m.total("web_panics_total", "Panics while answering a request for a page or to the API.", &m.webPanics)
	m.registry.MustRegister(edgeCollector{p.edge, p.front}, limitCollector{p.gate.limits},
		reasonCollector{descDenies, p.denies}, reasonCollector{descCloses, p.closes})
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

// tally counts by reason. The reasons are fixed, so that a series is there from the
// start and shows its first step. Any goroutine.
type tally map[string]*atomic.Uint64

func newTally(reasons ...string) tally {
	t := make(tally, len(reasons))
	for _, reason := range reasons {
		t[reason] = new(atomic.Uint64)
	}
	return t
}

// add counts one; a reason that the tally does not have is a mistake of ours and
// counts as "other".
func (t tally) add(reason string) {
	c, ok := t[reason]
	if !ok {
		c = t["other"]
	}
	c.Add(1)
}

// each calls f for every reason.
func (t tally) each(f func(reason string, n uint64)) {
	for reason, c := range t {
		f(reason, c.Load())
	}
}

// reasonCollector is a counter by reason that several parts fill: read gives each
// reason once.
type reasonCollector struct {
	desc *prometheus.Desc
	read func(func(reason string, n uint64))
}

// Describe names the counter. See prometheus.Collector.
func (r reasonCollector) Describe(ch chan<- *prometheus.Desc) { ch <- r.desc }

// Collect reads the counts. See prometheus.Collector.
func (r reasonCollector) Collect(ch chan<- prometheus.Metric) {
	r.read(func(reason string, n uint64) {
		ch <- prometheus.MustNewConstMetric(r.desc, prometheus.CounterValue, float64(n), reason)
	})
}
