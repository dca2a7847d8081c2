package stream

import (
	"strings"
	"testing"
)

// stage is two areas with a common chat, and guests with a chat of their own.
type stage struct {
	*Writers
	here, there                *Stream
	chat, guestsChat           *Stream
	hereAud, thereAud, guestsA *Audience
}

func newStage(cfg Config) *stage {
	s := &stage{
		Writers: NewWriters(cfg),
		here:    NewStream(), there: NewStream(), chat: NewStream(), guestsChat: NewStream(),
	}
	s.hereAud = s.NewAudience(s.here, s.chat)
	s.thereAud = s.NewAudience(s.there, s.chat)
	s.guestsA = s.NewAudience(nil, s.guestsChat)
	return s
}

func (s *stage) say(to *Stream, text string) { s.Append(to, []byte(text)) }

func (s *stage) send(l *Listener, text string) { s.Send(l, []byte(text)) }

// sayPast says text to all who hear it but l.
func (s *stage) sayPast(l *Listener, to *Stream, text string) {
	from := to.Position()
	s.say(to, text)
	s.Skip(l, to, from)
}

// tick publishes and lets the writers do all they can.
func (s *stage) tick() {
	s.Publish()
	s.Step()
}

// enter puts a new listener into aud.
func (s *stage) enter(c Conn, aud *Audience) *Listener {
	l := new(Listener)
	s.Join(l, c, aud)
	return l
}

func TestOrderOfPrivateAndArea(t *testing.T) {
	s := newStage(Config{})
	c := newConn(t)
	l := s.enter(c, s.hereAud)
	s.say(s.here, "a1 ")
	s.send(l, "p1 ")
	s.say(s.here, "a2 ")
	s.send(l, "p2 ")
	s.send(l, "p3 ")
	s.say(s.here, "a3 ")
	s.tick()
	c.want("a1 p1 a2 p2 p3 a3 ")
	c.wantWrites(1)
	if l.extra != nil {
		t.Error("a listener for whom nothing waits keeps its extra")
	}
}

func TestJoinHearsNothingOlder(t *testing.T) {
	s := newStage(Config{})
	old, late := newConn(t), newConn(t)
	s.enter(old, s.hereAud)
	s.say(s.here, "published ")
	s.tick()
	s.say(s.here, "said ")
	s.say(s.chat, "said too ")
	s.enter(late, s.hereAud)
	s.say(s.here, "new ")
	s.say(s.chat, "new too ")
	s.tick()
	late.want("new new too ")
	old.want("published said new said too new too ")
}

func TestLeaveSendsNothingMore(t *testing.T) {
	s := newStage(Config{})
	c, other := newConn(t), newConn(t)
	l := s.enter(c, s.hereAud)
	s.enter(other, s.hereAud)
	s.say(s.here, "before ")
	s.tick()
	s.Leave(l)
	s.say(s.here, "after ")
	s.send(l, "private ")
	s.Skip(l, s.here, s.here.Position())
	s.Move(l, s.thereAud)
	s.say(s.there, "there ")
	s.tick()
	s.say(s.here, "later ")
	s.tick()
	c.want("before ")
	other.want("before after later ")
	if l.sh != nil || l.extra != nil || l.cursors != [streams]Cursor{} {
		t.Error("a listener that left still holds memory")
	}
}

func TestSenderDoesNotHearItself(t *testing.T) {
	t.Run("between others", func(t *testing.T) {
		s := newStage(Config{})
		me, other := newConn(t), newConn(t)
		l := s.enter(me, s.hereAud)
		s.enter(other, s.hereAud)
		s.say(s.chat, "1 ")
		s.sayPast(l, s.chat, "mine ")
		s.say(s.chat, "2 ")
		s.sayPast(l, s.chat, "mine again ")
		s.sayPast(l, s.here, "of me ")
		s.tick()
		me.want("1 2 ")
		other.want("of me 1 mine 2 mine again ")
		if l.extra != nil {
			t.Error("its skips are kept after they have been passed")
		}
	})
	t.Run("across a segment border", func(t *testing.T) {
		s := newStage(Config{})
		me, other := newConn(t), newConn(t)
		l := s.enter(me, s.hereAud)
		s.enter(other, s.hereAud)
		mine := strings.Repeat("m", 300)
		var heard, said []string
		for i := range 50 {
			before := s.chat.tail
			from := s.chat.Position()
			s.say(s.chat, mine)
			s.say(s.chat, mine) // one span, in two segments where the border is between
			s.Skip(l, s.chat, from)
			s.say(s.chat, "other")
			said = append(said, mine, mine, "other")
			heard = append(heard, "other")
			if s.chat.tail != before && i%2 == 0 {
				s.tick()
			}
		}
		s.tick()
		me.want(heard...)
		other.want(said...)
	})
}

func TestMove(t *testing.T) {
	t.Run("hears both areas in order", func(t *testing.T) {
		s := newStage(Config{})
		c := newConn(t)
		l := s.enter(c, s.hereAud)
		s.say(s.here, "h1 ")
		s.say(s.there, "t1 ")
		s.say(s.chat, "c1 ")
		s.send(l, "p1 ")
		s.Move(l, s.thereAud)
		s.send(l, "p2 ")
		s.say(s.here, "h2 ")
		s.say(s.there, "t2 ")
		s.say(s.chat, "c2 ")
		s.tick()
		c.want("h1 p1 p2 t2 c1 c2 ")
		if l.Audience() != s.thereAud {
			t.Error("Audience is not where it was moved")
		}
	})
	t.Run("back again", func(t *testing.T) {
		s := newStage(Config{})
		c := newConn(t)
		l := s.enter(c, s.hereAud)
		s.say(s.here, "h1 ")
		s.Move(l, s.thereAud)
		s.say(s.here, "h2 ")
		s.say(s.there, "t1 ")
		s.Move(l, s.hereAud)
		s.say(s.here, "h3 ")
		s.say(s.there, "t2 ")
		s.tick()
		c.want("h1 t1 h3 ")
	})
	t.Run("hears what its old chat said before", func(t *testing.T) {
		s := newStage(Config{})
		c := newConn(t)
		l := s.enter(c, s.guestsA)
		s.say(s.guestsChat, "g1 ")
		s.say(s.chat, "c1 ")
		s.Move(l, s.hereAud)
		s.say(s.guestsChat, "g2 ")
		s.say(s.chat, "c2 ")
		s.tick()
		c.want("g1 c2 ")
	})
	t.Run("its skip in the new area outlives a full write in the old", func(t *testing.T) {
		s := newStage(Config{MaxWriteBytes: 8})
		c := newConn(t)
		l := s.enter(c, s.hereAud)
		s.send(l, "packet1 ")
		s.send(l, "packet2 ")
		s.Move(l, s.thereAud)
		s.sayPast(l, s.there, "mine ")
		s.say(s.there, "other ")
		s.tick()
		c.want("packet1 packet2 other ")
	})
	t.Run("while blocked", func(t *testing.T) {
		s := newStage(Config{})
		c := newSlowConn(t, 2)
		l := s.enter(c, s.hereAud)
		s.say(s.here, "h1 ")
		s.tick()
		s.say(s.here, "h2 ")
		s.Move(l, s.thereAud)
		s.say(s.here, "h3 ")
		s.say(s.there, "t1 ")
		s.tick()
		s.Move(l, s.guestsA)
		s.sayPast(l, s.guestsChat, "mine ")
		s.say(s.guestsChat, "g1 ")
		s.say(s.chat, "c1 ")
		s.send(l, "p1 ")
		s.tick()
		c.want("h1 ")
		c.size = 1000
		c.readAll()
		s.Step()
		c.want("h1 h2 t1 p1 g1 ")
	})
}

// TestOrderBeforePublish: the writers may take a tick's operations before its
// heads are published.
func TestOrderBeforePublish(t *testing.T) {
	s := newStage(Config{MaxLagBytes: 100})
	c := newSlowConn(t, 2)
	l := s.enter(c, s.hereAud)
	s.say(s.here, "a1 ")
	s.send(l, "p1 ")
	s.say(s.here, "a2 ")
	s.handOver()
	s.Step()
	c.want("a1 p1 ")
	s.Step() // it is blocked, and ahead of the published head
	if got := c.closes(); len(got) != 0 {
		t.Fatalf("closed as %v, and it is behind by 4 bytes", got)
	}
	s.publishHeads()
	s.announce()
	c.readAll()
	s.Step()
	c.want("a1 p1 a2 ")
}
