package stream

import (
	"fmt"
	"testing"
)

// TestPassIsFair: while every visit of one audience brings it more news, the
// other audience gets its turn all the same, and so does an unflushed listener.
func TestPassIsFair(t *testing.T) {
	for _, busyLast := range []bool{true, false} {
		t.Run(fmt.Sprintf("busyLast=%v", busyLast), func(t *testing.T) {
			ws := NewWriters(Config{})
			busy, quiet := NewStream(), NewStream()
			busyAud, quietAud := ws.NewAudience(busy, nil), ws.NewAudience(quiet, nil)

			total, heard, resumed := 0, -1, 0 // writes to busy, in all and when the others had theirs
			calm, stuck := newConn(t), newSlowConn(t, 2)
			var ls [4]Listener
			for i := range 2 {
				c := newConn(t)
				c.hook = func([]byte) {
					total++
					if total == 10 {
						stuck.readAll()
						ws.Append(quiet, []byte("again"))
					}
					if total < 100 {
						ws.Append(busy, []byte("more"))
						ws.Publish()
					}
				}
				ws.Join(&ls[i], c, busyAud)
			}
			calm.hook = func([]byte) {
				if heard < 0 {
					heard = total
				}
			}
			stuck.hook = func([]byte) { resumed = total }
			ws.Join(&ls[2], calm, quietAud)
			ws.Join(&ls[3], stuck, quietAud)
			news := []*Stream{quiet, busy}
			if !busyLast {
				news = []*Stream{busy, quiet}
			}
			for _, s := range news {
				ws.Append(s, []byte("news"))
			}
			ws.Publish()
			ws.Step()
			if heard < 0 || heard > 4 {
				t.Errorf("the quiet audience heard its news after %d writes to the busy one", heard)
			}
			if resumed == 0 || resumed > 16 {
				t.Errorf("a listener that was flushed after 10 writes to others went on after %d", resumed)
			}
			calm.want("news", "again")
			stuck.want("news", "again")
		})
	}
}

// TestTouchedTakeTurns: one who has much to be sent keeps nobody else waiting,
// neither for a private packet nor for a pass.
func TestTouchedTakeTurns(t *testing.T) {
	ws := NewWriters(Config{MaxWriteBytes: 1000})
	chat := NewStream()
	aud := ws.NewAudience(nil, chat)
	var ls [3]Listener
	var cs [3]*fakeConn
	for i := range ls {
		cs[i] = newConn(t)
		ws.Join(&ls[i], cs[i], aud)
	}
	greedy := cs[1]
	fill := func() {
		for range 100 {
			ws.Send(&ls[1], make([]byte, 600))
		}
	}
	waited := 0 // writes to the greedy one while another waited
	for _, c := range []*fakeConn{cs[0], cs[2]} {
		c.hook = func([]byte) { waited = max(waited, greedy.writeCount()) }
	}
	ws.Send(&ls[0], []byte("private"))
	fill()
	ws.Send(&ls[2], []byte("private"))
	ws.Publish()
	ws.Step()
	greedy.wantWrites(100)
	cs[0].want("private")
	cs[2].want("private")
	if waited > 2 {
		t.Errorf("a private packet waited for %d writes to another", waited)
	}

	greedy.hook = func([]byte) {
		greedy.hook = nil
		ws.Append(chat, []byte("news"))
		ws.Publish()
	}
	fill()
	ws.Publish()
	ws.Step()
	cs[0].want("private", "news")
	cs[2].want("private", "news")
	if waited > 104 {
		t.Errorf("a pass waited for %d writes to one listener", waited-100)
	}
}
