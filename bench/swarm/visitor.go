package swarm

// The ways in which visitors leave.
const (
	partGoodbye = "goodbye"       // a close frame, which must be answered
	partAtOnce  = "said and gone" // a close frame behind the first words
	partEnd     = "end of stream" // TCP's FIN without a close frame, as of a killed client
	partReset   = "reset"         // TCP's RST, as of a killed client with something unread
)

// visitor is the bot of one visit: a guest that talks, or a player that registers, logs
// in, walks, talks, and asks for something. Half of them say goodbye, the others vanish.
type visitor struct {
	call
	name   string
	player bool
	way    string
	stage  stage
	said   Sent // and no pong since
}

// visits are the kinds of visitor, in turns.
var visits = [...]struct {
	player bool
	way    string
}{
	{false, partGoodbye}, {true, partGoodbye}, {false, partReset}, {true, partReset},
	{false, partEnd}, {true, partEnd}, {false, partAtOnce}, {true, partGoodbye},
}

func newVisitor(t *churnTask, number int) *visitor {
	kind := visits[number/t.e.cfg.Workers%len(visits)]
	return &visitor{call: call{task: t}, name: t.name('v', number), player: kind.player, way: kind.way}
}

func (v *visitor) opened(e *Engine, c *conn) {
	v.call.opened(e, c)
	if v.player {
		v.stage = registering
		e.say(c, appendRegister(nil, v.name))
		return
	}
	v.stage = inWorld
	v.task.result.Guests++
	v.say(e, appendGuestChat(nil, "good evening"), &v.said.Chats)
	if v.way == partAtOnce {
		v.left = true
		v.leave(e)
		return
	}
	v.say(e, appendGuestChat(nil, ""), &v.said.Empty)
	e.ping(c)
}

func (v *visitor) packet(e *Engine, c *conn, payload []byte) {
	switch actionOf(payload) {
	case actOk:
		if v.stage == registering {
			v.stage = loggingIn
			v.task.result.Sent.Registered.Sure++
			e.say(c, appendLogin(nil, v.name))
		}
	case actModel:
		if v.stage == loggingIn {
			v.stage = inWorld
			v.task.result.Players++
			v.task.result.Sent.LoggedIn.Sure++
			v.say(e, appendTarget(nil, 100, 100), &v.said.Targets)
			v.say(e, appendPlayerChat(nil, v.name, "what a fine tavern"), &v.said.Chats)
			v.say(e, appendPlayerChat(nil, v.name, "/help"), &v.said.Commands)
			e.ping(c)
		}
	case actDeny: // busy, or still hashing: the visit is short, so it stays outside
		if v.stage != inWorld {
			v.stage = outside
		}
	}
}

// say sends a packet that the server will count.
func (v *visitor) say(e *Engine, packet []byte, t *Tally) {
	t.Perhaps++
	e.say(v.conn, packet)
}

// pong comes when the server has taken all that was said before.
func (v *visitor) pong(*Engine, *conn) { v.settle(true) }

// settle takes what was said into the account.
func (v *visitor) settle(sure bool) {
	if sure {
		for _, t := range []*Tally{&v.said.Chats, &v.said.Empty, &v.said.Targets, &v.said.Commands} {
			t.Sure, t.Perhaps = t.Perhaps, 0
		}
	}
	v.task.result.Sent.Add(&v.said)
	v.said = Sent{}
}

func (v *visitor) leave(e *Engine) {
	if v.stage != inWorld {
		v.task.result.Stuck++
	}
	switch {
	case v.way == partReset || !v.in:
		e.abort(v.conn)
	case v.way == partEnd:
		e.endStream(v.conn)
	default:
		e.leave(v.conn)
	}
}

func (v *visitor) gone(_ *Engine, _ *conn, reason string) {
	if !v.ended(reason) {
		return
	}
	r := v.task.result
	switch v.stage {
	case registering:
		r.Sent.Registered.Perhaps++
	case loggingIn:
		r.Sent.LoggedIn.Perhaps++
	}
	if !v.left {
		v.left = true
		r.Ended++
		v.settle(false)
		return
	}
	want := "1000"
	switch v.way {
	case partReset:
		want = "" // it was us
	case partEnd:
		want = "eof"
	}
	r.expect(r.Parted, v.way, reason, want)
	v.settle(reason == want && v.way != partReset)
}
