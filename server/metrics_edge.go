package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"tavern/server/ws"
)

// edgeCollector reads the edge's counters when somebody looks.
type edgeCollector struct {
	edge  *ws.Server
	front *ws.FrontListener
}

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
	descHeaders     = prometheus.NewDesc("ws_headers_refused_total", "Requests given up before anybody read them, by reason: a header that is too long, or a header, TLS handshake or PROXY header that comes too late.", []string{"reason"}, nil)
	descGreeting    = prometheus.NewDesc("ws_greeting", "Connections in their TLS handshake or PROXY header.", nil, nil)
	descGreetings   = prometheus.NewDesc("ws_greetings_full_total", "Connections that had to wait because too many were being greeted.", nil, nil)
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
	f := e.front.Counters()
	total(descHeaders, f.HeadersTooLong, "too_long")
	total(descHeaders, f.HeadersTooLate, "too_late")
	ch <- prometheus.MustNewConstMetric(descGreeting, prometheus.GaugeValue, float64(f.Greeting))
	total(descGreetings, f.GreetingsFull)
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

// limitCollector reads what the limits have refused.
type limitCollector struct{ limits *limits }

var descLimited = prometheus.NewDesc("limit_refused_total", "What the limits refused, by limit.", []string{"limit"}, nil)

// Describe names the counter. See prometheus.Collector.
func (l limitCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descLimited }

// Collect reads the counts. See prometheus.Collector.
func (l limitCollector) Collect(ch chan<- prometheus.Metric) {
	for i, label := range limitLabels {
		ch <- prometheus.MustNewConstMetric(descLimited, prometheus.CounterValue, float64(l.limits.refused[i].Load()), label)
	}
}
