package ring_test

import (
	"runtime"
	"testing"

	"tavern/game/ring"
)

// packet is as large as what really travels: two strings, two numbers, a few bits.
type packet struct {
	action uint8
	_      [55]byte
}

func BenchmarkPushPop(b *testing.B) {
	var l ring.Lazy[packet]
	b.ReportAllocs()
	for b.Loop() {
		l.Push(packet{action: 1})
		l.Pop()
	}
}

// BenchmarkPushPopContended has the consumer on another goroutine, as in the
// server; an operation is one packet pushed, and popped by the end.
func BenchmarkPushPopContended(b *testing.B) {
	r := ring.New[packet](ring.LazySlots)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			p, ok := r.Pop()
			if !ok {
				runtime.Gosched()
			} else if p.action == 0 {
				return
			}
		}
	}()
	push := func(p packet) {
		for r.Push(p) != ring.Pushed {
			runtime.Gosched()
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		push(packet{action: 1})
	}
	push(packet{})
	<-done
}

// BenchmarkRetire is the price of a player's first packet after a silence.
func BenchmarkRetire(b *testing.B) {
	var l ring.Lazy[packet]
	b.ReportAllocs()
	for b.Loop() {
		l.Push(packet{action: 1})
		l.Pop()
		l.Retire()
	}
}

func BenchmarkReady(b *testing.B) {
	var l ring.ReadyList[talker]
	var p talker
	b.ReportAllocs()
	for b.Loop() {
		l.Push(&p.node, &p)
		batch := l.Take()
		for owner := batch.Next(); owner != nil; owner = batch.Next() {
		}
	}
}

// BenchmarkReadyContended has every core push its own player, and one goroutine
// take them all the time, far more often than the loop would. Most pushes find
// their player on the list already, as a busy sender's do.
func BenchmarkReadyContended(b *testing.B) {
	var l ring.ReadyList[talker]
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			batch := l.Take()
			for owner := batch.Next(); owner != nil; owner = batch.Next() {
			}
			select {
			case <-stop:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var p talker
		for pb.Next() {
			l.Push(&p.node, &p)
		}
	})
	close(stop)
	<-done
}
