package moderation

import (
	"context"
	"net/netip"
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

// Who returns everybody in the world, in no particular order. It costs the loop
// some 100 ns for each.
func (d *Desk) Who(ctx context.Context) ([]Player, error) {
	type seen struct {
		game.Info
		conn game.Conn
	}
	list := make([]seen, 0, d.crowd.Load()*9/8+16) // so that the loop need not grow it
	err := d.visit(ctx, func(tx game.Tx) {
		add := func(i game.Info) { list = append(list, seen{i, i.Player.Conn()}) }
		tx.Players(add)
		tx.Guests(add)
	})
	if err != nil {
		return nil, err
	}
	d.crowd.Store(int64(len(list)))
	players := make([]Player, len(list))
	now := d.now()
	for i, s := range list {
		p := Player{ID: s.ID, Name: s.Name, X: s.X, Y: s.Y, Since: s.Since, Moderator: s.Moderator, Address: addressOf(s.conn)}
		if s.Muted.After(now) {
			p.Muted = s.Muted
		}
		if s.conn != nil {
			p.Pending = s.conn.Pending()
		}
		players[i] = p
	}
	return players, nil
}
