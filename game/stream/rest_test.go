package stream

import (
	"runtime"
	"testing"
	"weak"
)

// TestRest: a silent stream lets its buffer go, also when listeners stand at its
// end, and what is said afterwards arrives at everybody.
func TestRest(t *testing.T) {
	ws := NewWriters(Config{})
	chat := NewStream()
	aud := ws.NewAudience(nil, chat)
	var ls [3]Listener
	var cs [3]*fakeConn
	for i := range ls {
		cs[i] = newConn(t)
		ws.Join(&ls[i], cs[i], aud)
	}
	step := func(n int) {
		for range n {
			ws.Publish()
			ws.Step()
		}
	}
	ws.Append(chat, []byte("one "))
	step(1)
	old := weak.Make(chat.tail)
	step(2 * restTicks)
	runtime.GC()
	if old.Value() != nil {
		t.Error("a silent stream's segment is still alive")
	}
	ws.Append(chat, []byte("two "))
	step(1)
	for _, c := range cs {
		c.want("one two ")
	}
	if n := ws.Stats().Writes.Load(); n != 6 {
		t.Errorf("%d writes, want 6", n)
	}
}
