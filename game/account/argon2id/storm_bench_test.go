package argon2id

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

// BenchmarkStorm is why this package exists: as many hashers as processors
// run without a pause while a goroutine wants to tick every 10 ms, and another
// one is as busy as the writers of a chat. It reports how late the ticks came,
// how much the busy one got done, and the hashes.
func BenchmarkStorm(b *testing.B) {
	password, salt := []byte("password"), []byte("0123456789abcdef")
	b.Run("quiet", func(b *testing.B) { storm(b, nil) })
	b.Run("thread", func(b *testing.B) {
		storm(b, func(stop *atomic.Bool, hashes *atomic.Int64) {
			thread, err := Start()
			if err != nil {
				b.Error(err)
				return
			}
			defer thread.Stop()
			for !stop.Load() {
				if _, err := thread.Key(password, salt, 2, 19456, 32); err != nil {
					b.Error(err)
					return
				}
				hashes.Add(1)
			}
		})
	})
	b.Run("xcrypto", func(b *testing.B) {
		storm(b, func(stop *atomic.Bool, hashes *atomic.Int64) {
			for !stop.Load() {
				argon2.IDKey(password, salt, 2, 19456, 1, 32)
				hashes.Add(1)
			}
		})
	})
}

func storm(b *testing.B, hasher func(stop *atomic.Bool, hashes *atomic.Int64)) {
	const period = 10 * time.Millisecond
	var (
		stop         atomic.Bool
		hashes, work atomic.Int64
		running      sync.WaitGroup
	)
	if hasher != nil {
		for range runtime.GOMAXPROCS(0) {
			running.Go(func() { hasher(&stop, &hashes) })
		}
	}
	running.Go(func() { // busy for 5 ms of every 10
		rest := time.NewTicker(period)
		defer rest.Stop()
		for !stop.Load() {
			for until := time.Now().Add(period / 2); time.Now().Before(until); {
				work.Add(1)
			}
			<-rest.C
		}
	})

	var late []time.Duration
	began := time.Now()
	next := began.Add(period)
	timer := time.NewTimer(0)
	for b.Loop() {
		timer.Reset(time.Until(next))
		<-timer.C
		late = append(late, time.Since(next))
		for next = next.Add(period); time.Until(next) < 0; {
			next = next.Add(period)
		}
	}
	seconds := time.Since(began).Seconds()
	stop.Store(true)
	running.Wait()

	slices.Sort(late)
	at := func(p float64) float64 { return late[int(p*float64(len(late)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "late-ms-p50")
	b.ReportMetric(at(0.99), "late-ms-p99")
	b.ReportMetric(at(1), "late-ms-max")
	b.ReportMetric(float64(work.Load())/seconds/1000, "work/ms")
	b.ReportMetric(float64(hashes.Load())/seconds, "hashes/s")
	b.ReportMetric(0, "ns/op")
}
