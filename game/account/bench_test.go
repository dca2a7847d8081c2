package account

import (
	"fmt"
	"testing"
)

// inFlight is how many requests the benchmarks keep waiting for an answer, as
// in a storm: the default queue is never full with them.
const inFlight = 200

func stormConfig(b *testing.B) Config {
	cfg := cheap(databasePath(b))
	cfg.HashMemoryKiB, cfg.HashTime = 64, 1
	return cfg
}

func BenchmarkRegister(b *testing.B) {
	s := open(b, stormConfig(b))
	free := make(chan struct{}, inFlight)
	answer := func(err error) {
		if err != nil {
			b.Error(err)
		}
		<-free
	}
	n := 0
	for b.Loop() {
		free <- struct{}{}
		if err := s.Register(fmt.Sprint("player ", n), "secret", 0, answer); err != nil {
			b.Fatal(err)
		}
		n++
	}
	for range inFlight { // all are answered when all slots are ours
		free <- struct{}{}
	}
	stats := s.Stats()
	b.ReportMetric(float64(stats.Registered)/b.Elapsed().Seconds(), "registrations/s")
	b.ReportMetric(float64(stats.Registered)/float64(stats.Commits), "registrations/commit")
}

func BenchmarkRegisterOneByOne(b *testing.B) {
	s := open(b, stormConfig(b))
	n := 0
	for b.Loop() {
		mustRegister(b, s, fmt.Sprint("player ", n), "secret")
		n++
	}
}

func BenchmarkLogin(b *testing.B) {
	for _, cost := range []struct {
		memory, passes uint32
		inFlight       int // few where they are slow, or b.Loop counts the queue as done
	}{{64, 1, inFlight}, {DefaultHashMemoryKiB, DefaultHashTime, 4}} {
		b.Run(fmt.Sprintf("m=%d", cost.memory), func(b *testing.B) {
			cfg := stormConfig(b)
			cfg.HashMemoryKiB, cfg.HashTime = cost.memory, cost.passes
			s := open(b, cfg)
			for i := range cost.inFlight {
				mustRegister(b, s, fmt.Sprint("player ", i), "secret")
			}
			free := make(chan int, cost.inFlight)
			for i := range cost.inFlight {
				free <- i
			}
			for b.Loop() {
				i := <-free
				err := s.Login(fmt.Sprint("player ", i), "secret", func(a Account, err error) {
					if err != nil {
						b.Error(err)
					}
					s.Release(a.ID)
					free <- i
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for range cost.inFlight {
				<-free
			}
			b.ReportMetric(float64(s.Stats().LoggedIn)/b.Elapsed().Seconds(), "logins/s")
		})
	}
}

// BenchmarkSave is what the game loop pays for a position.
func BenchmarkSave(b *testing.B) {
	s := open(b, stormConfig(b))
	b.ReportAllocs()
	var id int64
	for b.Loop() {
		id++
		s.Save(id%10000, 1, 2)
	}
}

// BenchmarkFlush is what the writer pays for the positions of 10,000 players.
func BenchmarkFlush(b *testing.B) {
	path := databasePath(b)
	filled(b, path, 10000)
	s := open(b, cheap(path))
	var at float64
	for b.Loop() {
		at++
		for id := range int64(10000) {
			s.Save(id+1, at, -at)
		}
		if err := s.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
