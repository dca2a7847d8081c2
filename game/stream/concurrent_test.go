package stream

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// readers take what the sockets of slow connections hold, on goroutines of their
// own, as soon as there is something.
type readers struct {
	ready   chan *slowReader // has room for all
	done    chan struct{}
	running sync.WaitGroup
}

type slowReader struct {
	conn   *fakeConn
	queued atomic.Bool
	asleep atomic.Bool // reads nothing
}

func startReaders(t *testing.T, n, conns int) *readers {
	t.Helper()
	r := &readers{ready: make(chan *slowReader, conns), done: make(chan struct{})}
	for i := range n {
		r.running.Add(1)
		go func() {
			defer r.running.Done()
			for size := i; ; size = (size*5 + 77) % 1000 {
				select {
				case c := <-r.ready:
					c.queued.Store(false)
					if c.conn.read(1+size) > 0 {
						r.wake(c)
					}
				case <-r.done:
					return
				}
				runtime.Gosched()
			}
		}()
	}
	return r
}

// wake makes a reader look at c. At most one entry per connection waits.
func (r *readers) wake(c *slowReader) {
	if !c.asleep.Load() && c.queued.CompareAndSwap(false, true) {
		r.ready <- c
	}
}

func (r *readers) stop() {
	close(r.done)
	r.running.Wait()
}

// TestWritersRunning: the same as with the model step by step, with the writers,
// the loop and the readers each on goroutines of their own. Some listeners stop
// reading in the middle of it.
func TestWritersRunning(t *testing.T) {
	ticks := 4000
	if raceEnabled || testing.Short() {
		ticks = 1200
	}
	for _, tc := range []struct {
		writers int
		lag     int
	}{{1, 1 << 30}, {3, 1 << 30}, {1, 30_000}, {3, 30_000}} {
		t.Run(fmt.Sprintf("writers=%d/lag=%d", tc.writers, tc.lag), func(t *testing.T) {
			const maxConns = 2000
			var sleepers []*slowReader
			sc := newScript(t, nil, Config{
				Writers: tc.writers, MaxWriteBytes: 2000, MaxLagBytes: tc.lag, BytesPerSecond: 8000,
				Tick: time.Microsecond * 50, PassEvery: 100 * time.Microsecond,
			})
			r := startReaders(t, 2, maxConns)
			sc.ws.Run()
			data := randomBytes(uint64(tc.writers), ticks*40)
			for tick := range ticks {
				sc.data = data[tick*40 : tick*40+40]
				if sc.live() < sc.maxLive && len(sc.subjects) < maxConns {
					conn := newConn(t)
					if b := sc.byte(); b%2 == 0 {
						conn = newSlowConn(t, 1+b*8)
						c := &slowReader{conn: conn}
						conn.hook = func([]byte) { r.wake(c) }
						if b%8 == 0 {
							sleepers = append(sleepers, c)
						}
					}
					sc.join(conn)
				}
				if len(sleepers) > 0 && tick == ticks/3 {
					for _, c := range sleepers {
						c.asleep.Store(true)
					}
				}
				for len(sc.data) > 12 {
					sc.loopOp()
				}
				sc.publish()
				runtime.Gosched()
			}
			for _, c := range sleepers {
				c.asleep.Store(false)
				r.wake(c)
			}
			for range maxPeriod + 1 { // nothing new; what is owed is sent
				sc.publish()
			}
			sc.ws.Stop(time.Minute)
			r.stop()
			closed := uint64(0)
			for _, p := range sc.subjects {
				codes := p.conn.closes()
				if len(codes) > 1 || len(codes) == 1 && codes[0] != 1013 {
					t.Errorf("%s was closed as %v", p.conn.name, codes)
				}
				closed += uint64(len(codes))
				sc.expect(p, p.gone || len(codes) > 0)
			}
			stats := sc.ws.Stats()
			if got := stats.SlowConsumers.Load(); got != closed {
				t.Errorf("%d slow consumers counted, %d closed", got, closed)
			}
			if (closed > 0) != (tc.lag < 1<<30) {
				t.Errorf("%d slow consumers closed", closed)
			}
			if got := stats.Blocked.Load(); got != 0 {
				t.Errorf("%d listeners are blocked at the end", got)
			}
			t.Logf("%d listeners, %d visits, %d writes, %d of %d bytes copied, %d slow", len(sc.subjects),
				stats.Visits.Load(), stats.Writes.Load(), stats.Copied.Load(), stats.Bytes.Load(), closed)
		})
	}
}
