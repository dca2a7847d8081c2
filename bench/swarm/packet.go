package swarm

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// action is what a server packet is about, as far as a bot cares.
type action uint8

const (
	actUnknown action = iota
	actOk
	actDeny
	actChat
	actModel
	actDisconnect
	actDespawn
)

// actionOf tells the action of a compact packet from its first letters.
func actionOf(p []byte) action {
	if len(p) < 10 || string(p[:6]) != `{"a":"` {
		return actUnknown
	}
	switch string(p[6:8]) {
	case "Mo":
		return actModel
	case "Ch":
		return actChat
	case "Ok":
		return actOk
	case "Di":
		return actDisconnect
	case "De":
		if p[8] == 's' {
			return actDespawn
		}
		return actDeny
	}
	return actUnknown
}

// model is what a ModelDelta says. Name is empty in a delta.
type model struct {
	ID   int64
	X, Y float64
	Name []byte // dies with the packet
}

var (
	modelHead = []byte(`{"a":"ModelDelta","p0":{"id":`)
	keyX      = []byte(`"x":`)
	keyY      = []byte(`"y":`)
	keyName   = []byte(`"name":"`)
)

// parseModel reads a ModelDelta: by the places where the key order of the protocol's
// examples puts things, or as general JSON when they are elsewhere.
func parseModel(p []byte) (model, bool) {
	if rest, ok := bytes.CutPrefix(p, modelHead); ok {
		id, idOK := parseInt(rest)
		x, xOK := numberAfter(rest, keyX)
		y, yOK := numberAfter(rest, keyY)
		if idOK && xOK && yOK {
			m := model{ID: id, X: x, Y: y}
			if i := bytes.Index(rest, keyName); i >= 0 {
				name := rest[i+len(keyName):]
				m.Name = name[:max(0, bytes.IndexByte(name, '"'))]
			}
			return m, true
		}
	}
	return parseModelJSON(p)
}

func parseModelJSON(p []byte) (model, bool) {
	var packet struct {
		P0 struct {
			ID        int64 `json:"id"`
			Instanced struct {
				X      *float64 `json:"x"`
				Y      *float64 `json:"y"`
				Entity struct {
					Name string `json:"name"`
				} `json:"entity"`
			} `json:"instanced_entity"`
		} `json:"p0"`
	}
	in := &packet.P0.Instanced
	if json.Unmarshal(p, &packet) != nil || packet.P0.ID == 0 || in.X == nil || in.Y == nil {
		return model{}, false
	}
	return model{ID: packet.P0.ID, X: *in.X, Y: *in.Y, Name: []byte(in.Entity.Name)}, true
}

// parseInt reads the digits that p begins with.
func parseInt(p []byte) (n int64, ok bool) {
	i := 0
	for ; i < len(p) && '0' <= p[i] && p[i] <= '9'; i++ {
		n = n*10 + int64(p[i]-'0')
	}
	return n, i > 0 && i < 19
}

// numberAfter reads the JSON number behind the first key in p.
func numberAfter(p, key []byte) (float64, bool) {
	i := bytes.Index(p, key)
	if i < 0 {
		return 0, false
	}
	p = p[i+len(key):]
	end := 0
	for end < len(p) && (p[end] >= '0' && p[end] <= '9' || p[end] == '-' || p[end] == '+' || p[end] == '.' || p[end]|0x20 == 'e') {
		end++
	}
	v, err := strconv.ParseFloat(string(p[:end]), 64)
	return v, err == nil
}

// idOf reads the actor of a Disconnect or Despawn.
func idOf(p []byte) (int64, bool) {
	v, ok := numberAfter(p, []byte(`"p0":`))
	return int64(v), ok
}

// reasonOf reads the reason of a Deny.
func reasonOf(p []byte) string {
	var packet struct {
		P0 string `json:"p0"`
	}
	if json.Unmarshal(p, &packet) != nil || packet.P0 == "" {
		return "without a reason"
	}
	return packet.P0
}

// The bots' names and texts need no escaping.

func appendGuestChat(dst []byte, text string) []byte {
	return append(append(append(dst, `{"a":"Chat","p0":"`...), text...), `"}`...)
}

func appendPlayerChat(dst []byte, name, text string) []byte {
	return appendPair(dst, "Chat", name, text)
}

func appendRegister(dst []byte, name string) []byte {
	return appendPair(dst, "Register", name, password)
}

func appendLogin(dst []byte, name string) []byte {
	return appendPair(dst, "Login", name, password)
}

// password is every bot's.
const password = "a bot's password"

func appendPair(dst []byte, action, p0, p1 string) []byte {
	dst = append(append(dst, `{"a":"`...), action...)
	dst = append(append(dst, `","p0":"`...), p0...)
	dst = append(append(dst, `","p1":"`...), p1...)
	return append(dst, `"}`...)
}

func appendTarget(dst []byte, x, y float64) []byte {
	dst = append(dst, `{"a":"Target","p0":`...)
	dst = strconv.AppendFloat(dst, x, 'f', 2, 64)
	dst = append(dst, `,"p1":`...)
	dst = strconv.AppendFloat(dst, y, 'f', 2, 64)
	return append(dst, '}')
}
