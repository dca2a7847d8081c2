package codec

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// maxPayloads is the most that any client action takes (Register).
const maxPayloads = 3

// Decode takes one client packet apart: Register, Login, Chat or Target. Every
// error is one of the package's *Error variables.
//
// It copies what it keeps, both strings in one allocation, and never looks at
// data again; a Target and a refused packet allocate nothing (but a coordinate
// written with more than 32 characters may).
func Decode(data []byte) (Packet, error) {
	if len(data) > MaxPacketBytes {
		return Packet{}, ErrPacketTooLong
	}
	if !utf8.Valid(data) {
		return Packet{}, ErrUTF8
	}
	var m members
	if err := m.scan(data); err != nil {
		return Packet{}, err
	}
	p, err := m.packet(data)
	if err != nil {
		return Packet{}, err
	}
	return p, nil
}

// members holds what a packet's object says, key order forgotten. Of a key that
// comes twice the last one counts.
type members struct {
	action  value
	payload [maxPayloads]value
	beyond  bool // has a payload of a higher number than any action takes
}

// scan reads the whole packet before anything in it is judged.
func (m *members) scan(data []byte) *Error {
	s := scanner{data: data}
	verdict := ErrNotObject
	var err *Error
	if s.peek() == '{' {
		verdict = nil
		err = s.object(0, m)
	} else {
		_, err = s.value(0)
	}
	if err != nil {
		return err
	}
	if !s.atEnd() {
		return ErrNotJSON
	}
	return verdict
}

// set files the value under its key, given as it stands between its quotes. Any
// key but "a" and "p" with a plain decimal number is ignored.
func (m *members) set(key []byte, v value) {
	first, rest := nextRune(key)
	switch {
	case first == 'a' && len(rest) == 0:
		m.action = v
	case first == 'p' && len(rest) > 0:
		n := 0
		for leading := true; len(rest) > 0; leading = false {
			var r rune
			r, rest = nextRune(rest)
			if r < '0' || r > '9' || (leading && r == '0' && len(rest) > 0) {
				return // "pos", "p-1", "p01"
			}
			n = min(n*10+int(r-'0'), maxPayloads)
		}
		if n == maxPayloads {
			m.beyond = true
			return
		}
		m.payload[n] = v
	}
}

// payloadCounts is how few and how many payloads each client action takes. The
// server's own actions have no row: from a client they are refused.
var payloadCounts = [...]struct{ least, most int }{
	Register: {2, 3},
	Login:    {2, 2},
	Chat:     {1, 2},
	Target:   {2, 2},
	Despawn:  {},
}

// packet judges the members: the action, then the count, then the payloads.
func (m *members) packet(data []byte) (Packet, *Error) {
	if m.action.kind != text {
		return Packet{}, ErrNoAction
	}
	action := m.actionIn(data)
	if action == 0 {
		return Packet{}, ErrUnknownAction
	}
	takes := payloadCounts[action]
	if takes.most == 0 {
		return Packet{}, ErrUnexpectedAction
	}
	n, ok := m.count()
	if !ok || n < takes.least || n > takes.most {
		return Packet{}, ErrPayloadCount
	}
	p := Packet{Action: action, N: uint8(n)}
	var err *Error
	switch action {
	case Chat:
		err = m.chat(data, &p)
	case Target:
		err = m.target(data, &p)
	default:
		err = m.credentials(data, &p)
	}
	if err != nil {
		return Packet{}, err
	}
	return p, nil
}

// actionIn is the action that the packet names, 0 if there is none of that name.
func (m *members) actionIn(data []byte) Action {
	name := data[m.action.start:m.action.end]
	if !m.action.escaped {
		return actionNamed(name)
	}
	var buf [16]byte // longer than any action's name
	if int(m.action.size) > len(buf) {
		return 0
	}
	unescaped := buf[:0]
	for len(name) > 0 {
		var r rune
		r, name = nextRune(name)
		unescaped = utf8.AppendRune(unescaped, r)
	}
	return actionNamed(unescaped)
}

// count is the number of payloads; ok tells whether they are p0, p1 and so on
// without a gap.
func (m *members) count() (n int, ok bool) {
	for n < maxPayloads && m.payload[n].kind != absent {
		n++
	}
	for _, v := range m.payload[n:] {
		if v.kind != absent {
			return n, false
		}
	}
	return n, !m.beyond
}

// chat fills p from (sender, text) or (text). Nobody believes the sender, so
// one that is too long to be a name is left out rather than refused.
func (m *members) chat(data []byte, p *Packet) *Error {
	words := m.payload[p.N-1]
	sender := value{kind: text}
	if p.N == 2 {
		sender = m.payload[0]
	}
	if !sender.isWords() || !words.isWords() {
		return ErrPayloadType
	}
	if words.size > MaxTextBytes {
		return ErrTooLong
	}
	if sender.size > MaxNameBytes {
		sender = value{kind: text}
	}
	from, said := cut(data, sender, words, true)
	if p.N == 2 {
		p.S0, p.S1 = from, said
	} else {
		p.S0 = said
	}
	return nil
}

// credentials fills p from (username, password[, avatar_id]).
func (m *members) credentials(data []byte, p *Packet) *Error {
	name, password := m.payload[0], m.payload[1]
	if name.kind != text || password.kind != text {
		return ErrPayloadType
	}
	if name.size > MaxNameBytes {
		return ErrNameTooLong
	}
	if password.size > MaxPasswordBytes {
		return ErrPasswordTooLong
	}
	if p.N == 3 {
		avatar, err := float(data, m.payload[2])
		if err != nil {
			return err
		}
		if avatar < 0 || avatar > MaxAvatar || avatar != math.Trunc(avatar) {
			return ErrAvatar
		}
		p.Avatar = uint8(avatar)
	}
	p.S0, p.S1 = cut(data, name, password, false)
	return nil
}

// target fills p from (x, y).
func (m *members) target(data []byte, p *Packet) (err *Error) {
	if p.X, err = float(data, m.payload[0]); err != nil {
		return err
	}
	p.Y, err = float(data, m.payload[1])
	return err
}

// float is the number v stands for. JSON has no words for NaN and the
// infinities, so what is not finite is a number too large.
func float(data []byte, v value) (float64, *Error) {
	if v.kind != number {
		return 0, ErrPayloadType
	}
	f, err := strconv.ParseFloat(string(data[v.start:v.end]), 64)
	if err != nil {
		return 0, ErrNumber
	}
	return f, nil
}

// isWords tells whether v can be read as text. A number can: as its digits.
func (v value) isWords() bool { return v.kind == text || v.kind == number }
