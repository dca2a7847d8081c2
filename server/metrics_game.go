package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"tavern/game"
	"tavern/game/stream"
)

// registerGame names what the loop counts.
func (m *metrics) registerGame(loop *game.Loop) {
	st := loop.Stats()
	m.gauge("game_players", "Logged-in players in the world.", func() float64 { return float64(st.Players.Load()) })
	m.gauge("game_guests", "Guests in the chat room.", func() float64 { return float64(st.Guests.Load()) })
	m.total("game_ticks_total", "Ticks run.", &st.Ticks)
	m.total("game_ticks_dropped_total", "Late ticks that were not caught up.", &st.TicksDropped)
	m.total("game_panics_total", "Panics in the loop, each of which closed one player's connection, or ended the world.", &st.Panics)
	m.total("game_packets_total", "Packets taken from the players' rings.", &st.Packets)
	m.total("game_ignored_total", "Packets that made no sense in the player's state.", &st.Ignored)
	m.total("game_ring_full_total", "Packets dropped because their sender was flooding.", &st.RingFull)
	m.total("game_chats_total", "Chats said.", &st.Chats)
	m.total("game_chats_sent_total", "Chats on their way to a listener, one for each listener.", &st.ChatsSent)
	m.total("game_chats_empty_total", "Chats dropped for having no text.", &st.ChatsEmpty)
	m.total("game_chats_too_fast_total", "Chats dropped for being over the rate.", &st.ChatsTooFast)
	m.total("game_chats_muted_total", "Chats dropped because their sender is muted.", &st.Muted)
	m.total("game_commands_total", "Chats that began with a slash.", &st.Commands)
	m.total("game_asked_full_total", "Requests refused because too many waited for the loop.", &st.AskedFull)
	m.total("game_targets_total", "Targets taken.", &st.Targets)
	m.total("game_targets_too_fast_total", "Targets dropped for being over the rate.", &st.TargetsTooFast)
	m.total("game_deltas_total", "Steps of walking actors.", &st.Deltas)
}

// registerWriters names what the writers count.
func (m *metrics) registerWriters(loop *game.Loop) {
	wr := loop.WriterStats()
	m.total("stream_visits_total", "Visits of a writer to a player.", &wr.Visits)
	m.total("stream_writes_total", "Writes to players.", &wr.Writes)
	m.total("stream_bytes_total", "Bytes written to players by the writers.", &wr.Bytes)
	m.total("stream_copied_bytes_total", "Of those, bytes gathered from several places first.", &wr.Copied)
	m.total("stream_passes_total", "Passes of the writers over players with news.", &wr.Passes)
	m.counter("stream_pass_seconds_total", "Time spent in passes.", func() float64 { return float64(wr.PassNanos.Load()) / 1e9 })
	m.total("ws_slow_consumer_total", "Players closed for reading too slowly.", &wr.SlowConsumers)
	m.total("stream_throttled_total", "Visits for which not all positions fitted into the bandwidth.", &wr.Throttled)
	m.gauge("stream_blocked", "Players with an unflushed write.", func() float64 { return float64(wr.Blocked.Load()) })
	m.gauge("stream_lag_bytes", "How far the slowest player with an unflushed write is behind.", func() float64 { return float64(wr.MaxLag()) })
	m.registry.MustRegister(frameCollector{wr})
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
