package game

import "sync/atomic"

// Stats counts what the loop did. The loop stores, anyone reads. Players and
// Guests are levels, all others only grow.
type Stats struct {
	Players, Guests atomic.Int64

	Ticks        atomic.Uint64
	TicksDropped atomic.Uint64 // late ticks that were not caught up
	Packets      atomic.Uint64 // taken from rings
	Ignored      atomic.Uint64 // of those, made no sense in the player's state
	Panics       atomic.Uint64 // mistakes of ours, each of which cost one player its connection, or the world
	RingFull     atomic.Uint64 // packets dropped because the sender was flooding
	AskedFull    atomic.Uint64 // functions refused because too many waited
	Muted        atomic.Uint64 // chats dropped because their sender is muted
	Commands     atomic.Uint64 // chats that began with a slash
	Chats        atomic.Uint64 // said
	ChatsSent    atomic.Uint64 // on their way to a listener, one for each
	ChatsEmpty   atomic.Uint64 // dropped, no text
	ChatsTooFast atomic.Uint64 // dropped, over the rate
	Targets      atomic.Uint64
	// TargetsTooFast were dropped, over the rate.
	TargetsTooFast atomic.Uint64
	Deltas         atomic.Uint64 // actors moved, summed over ticks
	Denies         [Denials]atomic.Uint64
}

// Denial is why the loop denies something.
type Denial uint8

// The reasons; Denials is how many there are.
const (
	TalkingTooFast Denial = iota
	TargetsTooFast
	IsMuted
	CommandsFull
	Denials
)

// String is the reason's name in metrics.
func (d Denial) String() string {
	return [Denials]string{"talking_too_fast", "targets_too_fast", "muted", "commands_full"}[d]
}
