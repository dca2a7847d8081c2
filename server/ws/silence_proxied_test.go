package ws

import "testing"

// TestSilenceProxied: behind a proxy the ping comes before a minute of silence
// is over, not after two, and the end as much later as elsewhere.
func TestSilenceProxied(t *testing.T) {
	const ping, reap = 120, 165
	if latest := proxiedPing + silenceStripes; latest > 57 {
		t.Errorf("a ping may come after %d s, and proxies cut after 60", latest)
	}
	for _, c := range []struct {
		name    string
		proxied bool
		silent  uint32
		frame   byte // first byte of what the peer is sent, 0 for nothing
	}{
		{"direct", false, proxiedPing, 0},
		{"quiet", true, proxiedPing - 1, 0},
		{"silent", true, proxiedPing, 0x89},
		{"not answered yet", true, proxiedPing + 44, 0x89},
		{"dead", true, proxiedPing + 45, 0x88},
		{"direct and silent", false, ping, 0x89},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := New(Config{}, echoless{})
			if err != nil {
				t.Fatal(err)
			}
			go s.closer.run()
			t.Cleanup(func() { close(s.closer.quit); <-s.closer.done })
			s.sessions = make([]sessionSlot, silenceStripes)
			s.start = s.start.Add(-reap * 2 * 1e9)
			wire := &recorder{}
			sess := &Session{srv: s, conn: wire, proxied: c.proxied}
			sess.heard.Store(s.Clock() - c.silent)
			s.enlist(sess, 3)
			s.sweepSilence(3, ping, reap)
			var got byte
			if len(wire.sent) > 0 {
				got = wire.sent[0]
			}
			if got != c.frame {
				t.Errorf("sent %x, want a frame that begins with %x", wire.sent, c.frame)
			}
		})
	}
}
