package ws

import (
	"testing"
)

// TestSilence: the silent are pinged, those who answer stay, those who do not are
// closed and counted; who is heard of is left alone.
func TestSilence(t *testing.T) {
	const ping, reap = 120, 165
	for _, c := range []struct {
		name   string
		silent uint32
		frame  byte // first byte of what the peer is sent, 0 for nothing
	}{
		{"talks", 0, 0},
		{"quiet for a while", ping - 1, 0},
		{"silent", ping, 0x89},
		{"not answered yet", reap - 1, 0x89},
		{"dead", reap, 0x88},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := New(Config{}, echoless{})
			if err != nil {
				t.Fatal(err)
			}
			go s.closer.run()
			t.Cleanup(func() { close(s.closer.quit); <-s.closer.done })
			s.sessions = make([]sessionSlot, 2*silenceStripes)
			s.start = s.start.Add(-reap * 2 * 1e9)
			wire := &recorder{}
			sess := &Session{srv: s, conn: wire}
			sess.heard.Store(s.Clock() - c.silent)
			s.enlist(sess, silenceStripes+3)
			for stripe := range silenceStripes {
				s.sweepSilence(stripe, ping, reap)
			}
			var got byte
			if len(wire.sent) > 0 {
				got = wire.sent[0]
			}
			if got != c.frame {
				t.Errorf("sent %x, want a frame that begins with %x", wire.sent, c.frame)
			}
			if want := c.frame == 0x88; (s.Counters().Silent == 1) != want {
				t.Errorf("Silent = %d", s.Counters().Silent)
			}
		})
	}
}

// echoless is a handler that does nothing.
type echoless struct{}

func (echoless) Open(*Session)                  {}
func (echoless) Message(*Session, []byte, bool) {}
func (echoless) Closed(*Session, int, string)   {}

// recorder is a connection that takes everything and keeps it.
type recorder struct{ sent []byte }

func (r *recorder) TryWrite(b []byte) (int, error) { r.sent = append(r.sent, b...); return len(b), nil }
func (r *recorder) Queue([]byte) error             { return nil }
func (r *recorder) CloseWrite()                    {}
func (r *recorder) Hangup()                        {}
func (r *recorder) Unsent() int                    { return 0 }
