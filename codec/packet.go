// Package codec is the wire format: one packet is one JSON object in one
// WebSocket message, as WIRE.md describes it.
//
// Decode takes a client's packet apart, strictly and within bounds; the Append
// functions put the server's packets together. The package knows nothing of
// sockets, sessions, players or the world, starts no goroutine and keeps no
// state, so every function may be called from any goroutine.
package codec

import "strconv"

// Action says what a packet is about: the value of its "a" member.
type Action uint8

// The actions. Register, Login, Chat and Target come from clients; Ok, Deny,
// Chat, ModelDelta, Disconnect and Despawn go to them. Zero is no action.
const (
	Register Action = iota + 1
	Login
	Ok
	Deny
	Chat
	Target
	ModelDelta
	Disconnect
	Despawn
)

// actionNames holds the names as they stand on the wire.
var actionNames = [...]string{
	Register:   "Register",
	Login:      "Login",
	Ok:         "Ok",
	Deny:       "Deny",
	Chat:       "Chat",
	Target:     "Target",
	ModelDelta: "ModelDelta",
	Disconnect: "Disconnect",
	Despawn:    "Despawn",
}

// String returns the action's name on the wire, or Action(n) for a number that
// is no action.
func (a Action) String() string {
	if a == 0 || int(a) >= len(actionNames) {
		return "Action(" + strconv.Itoa(int(a)) + ")"
	}
	return actionNames[a]
}

// actionNamed is the action with that name on the wire, 0 if there is none.
// The switch, unlike a map, takes bytes without copying them.
func actionNamed(name []byte) Action {
	switch string(name) {
	case "Chat":
		return Chat
	case "Target":
		return Target
	case "Login":
		return Login
	case "Register":
		return Register
	case "Ok":
		return Ok
	case "Deny":
		return Deny
	case "ModelDelta":
		return ModelDelta
	case "Disconnect":
		return Disconnect
	case "Despawn":
		return Despawn
	}
	return 0
}

// Packet is one decoded client packet, a flat value. Which fields mean
// something depends on Action and N; the others are zero.
type Packet struct {
	Action Action
	N      uint8   // how many payloads the packet has
	Avatar uint8   // Register: 0 to MaxAvatar, 0 when absent
	X, Y   float64 // Target: pixels, finite, not yet held within the world's bounds
	// Register and Login: user name and password, as sent.
	// Chat with two payloads: what the client claims as sender, and the text.
	// Chat with one payload: the text in S0.
	// Both strings are cut from one copy and never alias the decoded data.
	S0, S1 string
}

// Limits on what Decode takes. Bytes are those of the UTF-8 text after
// unescaping.
const (
	MaxTextBytes     = 1024 // text of a Chat
	MaxNameBytes     = 128  // user name, sender: 32 characters of four bytes
	MaxPasswordBytes = 256  // password
	MaxAvatar        = 5    // highest avatar_id of a Register

	// MaxPacketBytes bounds one whole packet. Every packet within the limits
	// above fits, even with each byte of its strings written as \u00XX.
	MaxPacketBytes = 8192

	// MaxDepth bounds how deep objects and arrays may be nested, the packet's
	// own object included.
	MaxDepth = 32
)

// Error tells why a packet was refused. The set is fixed: Decode returns the
// variables below and nothing else, so they may be compared with ==.
type Error struct {
	Label  string // short and stable, for metrics and the golden files
	Reason string // a short English sentence, for a Deny
}

// Error returns the label with the package's name before it.
func (e *Error) Error() string { return "codec: " + e.Label }

// What Decode refuses. A packet that breaks several rules gets the first one in
// this order, but ErrTooDeep may hide an ErrNotJSON, and of two payloads that
// are both wrong the first is named.
var (
	ErrPacketTooLong    = &Error{"packet_too_long", "This packet is too long"}
	ErrUTF8             = &Error{"utf8", "This packet is not valid UTF-8"}
	ErrTooDeep          = &Error{"too_deep", "This packet is nested too deeply"}
	ErrNotJSON          = &Error{"not_json", "This packet is not valid JSON"}
	ErrNotObject        = &Error{"not_object", "This packet is not a JSON object"}
	ErrNoAction         = &Error{"no_action", "This packet names no action"}
	ErrUnknownAction    = &Error{"unknown_action", "This action is not known"}
	ErrUnexpectedAction = &Error{"unexpected_action", "Only the server may send this action"}
	ErrPayloadCount     = &Error{"payload_count", "This action takes another number of payloads"}
	ErrPayloadType      = &Error{"payload_type", "A payload is of the wrong type"}
	ErrNumber           = &Error{"number", "A number is out of range"}
	ErrAvatar           = &Error{"avatar", "There is no such avatar"}
	ErrNameTooLong      = &Error{"name_too_long", "This username is too long"}
	ErrPasswordTooLong  = &Error{"password_too_long", "This password is too long"}
	ErrTooLong          = &Error{"too_long", "This text is too long"}
)
