package moderation

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tavern/game"
)

// Player is one who is in the world, as an operator sees it.
type Player struct {
	ID        int64 // of the account; 0 for a guest
	Name      string
	Address   netip.Addr
	X, Y      float64   // pixels; not of a guest
	Since     time.Time // zero for a guest
	Muted     time.Time // until when; zero: may talk
	Moderator bool
	Pending   int // bytes that its connection has not taken yet
}

const (
	// whoPage is how many players the loop is asked for in one tick: about a
	// millisecond's worth.
	whoPage = 1500
	// mostGuests is how many guests are listed. The others can be kicked by name.
	mostGuests = 1500
)

// seen is what the loop tells of one.
type seen struct {
	game.Info
	conn game.Conn
}

// Who returns everybody in the world, in no particular order, but no more guests
// than mostGuests. Of many it takes a few ticks, so that none of them is long;
// who comes or goes meanwhile may be missing.
func (d *Desk) Who(ctx context.Context) ([]Player, error) {
	d.whoMu.Lock()
	defer d.whoMu.Unlock()
	list := d.seen[:0] // the loop need neither grow it nor touch new memory
	add := func(i game.Info) { list = append(list, seen{i, i.Player.Conn()}) }
	for from := 0; from >= 0; {
		list = slices.Grow(list, whoPage+mostGuests)
		err := d.visit(ctx, func(tx game.Tx) {
			if from == 0 {
				tx.Guests(func(i game.Info) bool { add(i); return len(list) < mostGuests })
			}
			from = tx.PlayersFrom(from, whoPage, add)
		})
		if err != nil {
			d.seen = nil // the loop may still write to it
			return nil, err
		}
	}
	players := make([]Player, len(list))
	now := d.now()
	for i, s := range list {
		p := Player{ID: s.ID, Name: s.Name, X: s.X, Y: s.Y, Since: s.Since, Moderator: s.Moderator, Address: addressOf(s.conn)}
		if s.Muted.After(now) {
			p.Muted = d.MutedUntil(s.ID) // what was said, to the second
		}
		if s.conn != nil {
			p.Pending = s.conn.Pending()
		}
		players[i] = p
	}
	clear(list) // keep nobody alive
	d.seen = list
	return players, nil
}

// SortByName sorts players by name, whatever its case.
func SortByName(players []Player) {
	keys := make(map[string]string, len(players)) // folding once for each, not for each comparison
	for i := range players {
		keys[players[i].Name] = strings.ToLower(players[i].Name)
	}
	slices.SortFunc(players, func(a, b Player) int {
		return cmp.Or(strings.Compare(keys[a.Name], keys[b.Name]), cmp.Compare(a.ID, b.ID))
	})
}
