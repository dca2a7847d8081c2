package moderation

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"tavern/codec"
	"tavern/game"
)

// closePolicy is RFC 6455's code for a broken rule.
const closePolicy = 1008

// addressed is a connection that knows its peer. Any goroutine.
type addressed interface{ RemoteAddr() netip.Addr }

func addressOf(c game.Conn) netip.Addr {
	if a, ok := c.(addressed); ok {
		return a.RemoteAddr()
	}
	return netip.Addr{}
}

// inside is somebody in the world, as seen from outside the loop.
type inside struct {
	conn  game.Conn
	guest bool
}

// finder calls found for those in the world whom it means. Loop.
type finder func(tx game.Tx, found func(p *game.Player, guest bool))

func byAccount(id int64) finder {
	return func(tx game.Tx, found func(*game.Player, bool)) {
		if p := tx.Find(id); p != nil {
			found(p, false)
		}
	}
}

func byGuest(number uint32) finder {
	return func(tx game.Tx, found func(*game.Player, bool)) {
		if p := tx.Guest(number); p != nil {
			found(p, true)
		}
	}
}

func byNetwork(network netip.Prefix) finder {
	return func(tx game.Tx, found func(*game.Player, bool)) {
		tx.Players(func(i game.Info) {
			if network.Contains(addressOf(i.Player.Conn())) {
				found(i.Player, false)
			}
		})
		tx.Guests(func(i game.Info) bool {
			if network.Contains(addressOf(i.Player.Conn())) {
				found(i.Player, true)
			}
			return true
		})
	}
}

// find collects whom a finder means at the next tick.
func (d *Desk) find(ctx context.Context, who finder) ([]inside, error) {
	var list []inside
	err := d.visit(ctx, func(tx game.Tx) {
		who(tx, func(p *game.Player, guest bool) { list = append(list, inside{p.Conn(), guest}) })
	})
	if err != nil {
		return nil, err // list may still change
	}
	return list, nil
}

// expel closes the connections of those whom a finder means and returns how many
// they were.
//
// It looks twice. The edge asks Banned once more after it has handed somebody to
// the loop, so who was handed over before the ban was in memory is either in the
// world at the first look or at the latest at the second, a tick later; and who
// came after that is turned away there.
func (d *Desk) expel(ctx context.Context, who finder, why string) (int, error) {
	gone := make(map[game.Conn]struct{})
	for range 2 {
		list, err := d.find(ctx, who)
		if err != nil {
			return len(gone), err
		}
		for _, in := range list {
			if _, done := gone[in.conn]; !done {
				gone[in.conn] = struct{}{}
				d.expelled.Add(1)
				in.farewell(why)
			}
		}
	}
	return len(gone), nil
}

// farewell says why, in the chat for those clients that show no close reason, and
// closes the connection. Not in the loop: it writes.
func (in inside) farewell(why string) {
	var packet []byte
	if in.guest {
		packet = codec.AppendGuestChatFrom(nil, game.Herald, why)
	} else {
		packet = codec.AppendChat(nil, game.Herald, why)
	}
	_ = in.conn.Write(codec.AppendTextFrame(nil, packet)) // who reads nothing still hears the close
	in.conn.Close(closePolicy, why)
}

// guestNumber is the number in a guest's name.
func guestNumber(name string) (uint32, bool) {
	digits, ok := strings.CutPrefix(strings.ToLower(name), "guest-")
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n > 0
}
