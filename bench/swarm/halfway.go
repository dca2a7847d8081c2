package swarm

import "time"

// What people reset in the middle of.
var halves = [...]string{"handshake", "frame", "message", "register", "login", "write"}

// halfwayStay is longer than a login takes, also on a busy server.
const halfwayStay = time.Second

// halfway is the bot of one who begins something and is gone: its computer crashed, its
// train entered a tunnel and its telephone changed networks.
type halfway struct {
	call
	what  string
	name  string
	stage stage
}

func newHalfway(t *churnTask, number int) *halfway {
	return &halfway{call: call{task: t}, what: halves[number/t.e.cfg.Workers%len(halves)], name: t.name('h', number)}
}

func (h *halfway) request(e *Engine) ([]byte, int) {
	if h.what == "handshake" {
		return e.request[:len(e.request)/2], 0
	}
	return h.call.request(e)
}

func (h *halfway) opened(e *Engine, c *conn) {
	h.call.opened(e, c)
	chat := appendFrame(nil, opText, appendGuestChat(nil, "this is never said"))
	switch h.what {
	case "frame":
		e.send(c, chat[:len(chat)/2])
	case "message":
		chat[0] = opText // without FIN: more is to come
		e.send(c, chat)
	case "register":
		h.stage = registering
		e.say(c, appendRegister(nil, h.name))
		h.cut(e)
	case "login":
		h.stage = registering
		e.say(c, appendRegister(nil, h.name))
	case "write":
		e.poller.forget(c.fd) // the room goes on talking to it
	}
}

func (h *halfway) packet(e *Engine, c *conn, payload []byte) {
	if h.what == "login" && actionOf(payload) == actOk && h.stage == registering {
		h.task.result.Sent.Registered.Sure++
		h.stage = loggingIn
		e.say(c, appendLogin(nil, h.name))
		h.cut(e)
	}
}

// cut resets at once.
func (h *halfway) cut(e *Engine) {
	h.left = true
	h.leave(e)
}

func (h *halfway) leave(e *Engine) { e.abort(h.conn) }

func (h *halfway) gone(_ *Engine, _ *conn, reason string) {
	r := h.task.result
	switch h.stage {
	case registering:
		r.Sent.Registered.Perhaps++
	case loggingIn:
		r.Sent.LoggedIn.Perhaps++
	}
	if h.what == "handshake" {
		h.away = true
		r.expect(r.Halves, h.what, reason, "")
	} else if h.ended(reason) {
		r.expect(r.Halves, h.what, reason, "")
	}
}
