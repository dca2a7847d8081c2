package stream

import (
	"fmt"
	"testing"
)

// crowdOf is a stage with so many listeners at the heads of both its streams.
func crowdOf(listeners int, cfg Config) (*stage, []Listener) {
	s := newStage(cfg)
	ls := make([]Listener, listeners)
	for i := range ls {
		s.Join(&ls[i], discard{}, s.hereAud)
		if i%1000 == 999 {
			s.tick()
		}
	}
	s.tick()
	return s, ls
}

func TestAllocations(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(s *stage, ls []Listener)
		want float64 // per tick
	}{
		{"append", func(s *stage, _ []Listener) { s.say(s.chat, "how do you do") }, 0},
		{"nothing new", func(s *stage, _ []Listener) { s.tick() }, 0},
		{"chat", func(s *stage, _ []Listener) { s.say(s.chat, "how do you do"); s.tick() }, 0},
		{"chat past its sender", func(s *stage, ls []Listener) { s.sayPast(&ls[7], s.chat, "how do you do"); s.tick() }, 0},
		{"private", func(s *stage, ls []Listener) { s.send(&ls[3], "psst"); s.tick() }, 0},
		{"chat and private", func(s *stage, ls []Listener) {
			s.sayPast(&ls[7], s.chat, "how do you do")
			s.send(&ls[3], "psst")
			s.tick()
		}, 0},
		{"area", func(s *stage, _ []Listener) { s.say(s.here, "news"); s.tick() }, 1}, // its scene
		{"move", func(s *stage, ls []Listener) { // back and forth, into an audience with members
			s.Move(&ls[5], s.thereAud)
			s.tick()
			s.Move(&ls[5], s.hereAud)
			s.tick()
		}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, ls := crowdOf(100, Config{})
			s.enter(discard{}, s.thereAud)
			for range 200 {
				tc.do(s, ls)
			}
			// AllocsPerRun rounds down: a segment or an arena now and then is none.
			if got := testing.AllocsPerRun(500, func() { tc.do(s, ls) }); got > tc.want {
				t.Errorf("%v allocations, want %v", got, tc.want)
			}
		})
	}
}

// noCopy makes the writers give each segment's bytes in a write of their own. For
// benchmarks of the loop, whose listeners are led on so rarely that everybody's
// would have to be gathered from several.
var noCopy = Config{MaxWriteBytes: 1}

var chatFrameBytes = textFrame(98)

// BenchmarkAppend is what saying a chat costs the loop: the same, however many
// listen.
func BenchmarkAppend(b *testing.B) {
	for _, listeners := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("listeners=%d", listeners), func(b *testing.B) {
			s, _ := crowdOf(listeners, noCopy)
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				s.Append(s.chat, chatFrameBytes)
				if i%65536 == 0 { // or nobody would let go of the segments
					b.StopTimer()
					s.tick()
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkPublish is what ending a tick of 20 chats costs the loop.
func BenchmarkPublish(b *testing.B) {
	for _, listeners := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("listeners=%d", listeners), func(b *testing.B) {
			s, _ := crowdOf(listeners, noCopy)
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				for range 20 {
					s.Append(s.chat, chatFrameBytes)
				}
				s.Publish()
				for _, w := range s.writers {
					w.takeBatches() // a few ns, and the batches come back
				}
				if i%4096 == 0 {
					b.StopTimer()
					s.Step()
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkPass is what one visit costs beside the system call.
func BenchmarkPass(b *testing.B) {
	for _, tc := range []struct {
		name string
		say  func(s *stage, ls []Listener)
	}{
		{"one stream", func(s *stage, _ []Listener) { s.Append(s.chat, chatFrameBytes) }},
		{"two streams", func(s *stage, _ []Listener) {
			s.Append(s.chat, chatFrameBytes)
			s.Append(s.here, chatFrameBytes)
		}},
		{"one of ten skips its own", func(s *stage, ls []Listener) {
			for i := range 20 {
				s.sayPast(&ls[i*len(ls)/200], s.chat, "a chat as long as chats are, more or less, with its frame")
			}
		}},
		{"all skip", func(s *stage, ls []Listener) {
			from := s.chat.Position()
			s.Append(s.chat, chatFrameBytes)
			s.Append(s.chat, chatFrameBytes)
			for i := range ls {
				s.Skip(&ls[i], s.chat, from+uint64(len(chatFrameBytes)))
			}
		}},
		{"all private", func(s *stage, ls []Listener) {
			for i := range ls {
				s.Send(&ls[i], chatFrameBytes)
			}
		}},
		{"nothing new", func(s *stage, _ []Listener) { s.tell(s.chat) }},
	} {
		for _, listeners := range []int{1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/listeners=%d", tc.name, listeners), func(b *testing.B) {
				s, ls := crowdOf(listeners, Config{})
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					tc.say(s, ls)
					s.Publish()
					b.StartTimer()
					s.Step()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(listeners), "ns/visit")
			})
		}
	}
}
