package game

import (
	"math"
	"time"

	"tavern/codec"
	"tavern/game/stream"
)

// actor is a logged-in player's body in the world.
type actor struct {
	id     int64 // the account's
	player *Player
	name   string
	x, y   float64 // pixels
	tx, ty float64 // where it walks to

	pose         *stream.Pose // where it was last said to be; nil before it ever moved
	cell         *cell        // where it stands
	home         *cell        // whose audience its player is in; behind cell only while it crosses
	slot         int32        // in cell.actors
	walking      int32        // in world.walkers, -1 while it stands
	all          int32        // in world.actors
	active       uint32       // tick in which it last walked or talked
	saved        uint32       // tick in which its position was last saved while walking
	since, muted uint32       // in world.steady: when it came, until when it may not talk
	shown        uint16       // bit(cell, h) is set while it is in h's view
	moderator    bool
	avatar       uint8
	steer        bucket // how many targets it may still take
}

// world is the simulated state. All of it belongs to the loop.
type world struct {
	cfg     *Config
	writers *stream.Writers
	stats   *Stats
	now     uint32
	step    float64   // pixels per tick
	began   time.Time // on a second of the clock, as are the ends of mutes

	grid        grid
	actors      []*actor
	walkers     []*actor
	stale       []*cell        // cells whose view has changed, or whom in it, in this tick
	growing     []*cell        // cells whose view is filling up, see setView
	poses       []*stream.Pose // scratch of showViews
	halted      []*actor       // stand since a while or have left; may still have a pose
	playersChat *stream.Stream
	guestsChat  *stream.Stream
	guestsAud   *stream.Audience
	players     int
	guests      map[uint32]*Player // by the number of their name
	lastGuest   uint32

	chatPerTick float32 // 0 = no limit
	chatBurst   float32
	// The same for targets.
	targetPerTick, targetBurst float32

	packet, frame, private, guestName []byte // scratch
}

func newWorld(cfg *Config, writers *stream.Writers, stats *Stats) *world {
	w := &world{
		cfg: cfg, writers: writers, stats: stats,
		step:        cfg.Speed * cfg.Tick.Seconds(),
		grid:        newGrid(cfg.World, cfg.Cell),
		playersChat: stream.NewStream(),
		guestsChat:  stream.NewStream(),
		guests:      make(map[uint32]*Player),
	}
	w.began = w.cfg.Now()
	w.began = w.began.Add(-time.Duration(w.began.Nanosecond())) // Truncate would leave the wall clock only
	w.limitChat(cfg.ChatRate, cfg.ChatBurst)
	w.limitTargets(cfg.TargetRate, cfg.TargetBurst)
	w.packet = make([]byte, 0, 4<<10)
	w.guestsAud = writers.NewAudience(nil, w.guestsChat)
	return w
}

// enterGuest lets p hear the chat room and talk in it.
func (w *world) enterGuest(p *Player, conn Conn) {
	w.lastGuest++
	p.guest = w.lastGuest
	p.inWorld = true
	w.guests[p.guest] = p
	w.stats.Guests.Store(int64(len(w.guests)))
	w.writers.Join(&p.Listener, conn, w.guestsAud)
}

// noGuest takes p out of the list of guests. With the last one goes the list: a map
// never shrinks, and this one has had 38 bytes for each guest of the busiest hour.
func (w *world) noGuest(p *Player) {
	delete(w.guests, p.guest)
	if len(w.guests) == 0 {
		w.guests = make(map[uint32]*Player)
	}
	w.stats.Guests.Store(int64(len(w.guests)))
}

// enter answers the Login of p and puts its actor into the world. The client
// takes the first model for its own, so that one leads; then come those of
// everybody in sight, and those who can see the newcomer get its model.
func (w *world) enter(p *Player, conn Conn, acc Account) {
	a := &actor{
		id: acc.ID, player: p, name: acc.Name, avatar: acc.Avatar,
		x:       clamp(acc.X, w.cfg.World.MinX, w.cfg.World.MaxX),
		y:       clamp(acc.Y, w.cfg.World.MinY, w.cfg.World.MaxY),
		walking: -1, active: w.now - calmTicks, // coming in is no reason to take another's place in a crowd
		since: w.steady(w.cfg.Now()), muted: w.steady(acc.Muted), moderator: acc.Moderator,
	}
	c := w.grid.at(a.x, a.y)
	a.cell = c
	c.put(a)
	a.all = int32(len(w.actors))
	w.actors = append(w.actors, a)
	w.open(c)
	w.grid.around(c, func(h *cell) { w.show(h, a) })

	a.home = c
	if p.inWorld { // a guest logs in
		w.noGuest(p)
		w.private = frame(w.private[:0], codec.AppendOk(w.packet[:0]))
		w.writers.Move(&p.Listener, c.aud)
	} else {
		w.writers.Join(&p.Listener, conn, c.aud)
		w.private = frame(w.private[:0], codec.AppendOk(w.packet[:0]))
	}
	p.actor, p.inWorld = a, true
	w.players++
	w.stats.Players.Store(int64(w.players))

	w.private = w.appendModel(w.private, a)
	w.eachShown(c, func(v *actor) {
		if v != a {
			w.private = w.appendModel(w.private, v)
		}
	})
	w.writers.Send(&p.Listener, w.private)
}

// leave takes p out: who knows its actor hears Disconnect, its position is kept
// and the account is free.
func (w *world) leave(p *Player) {
	w.writers.Leave(&p.Listener)
	p.inWorld = false
	a := p.actor
	if a == nil {
		w.noGuest(p)
		return
	}
	p.actor = nil
	w.players--
	w.stats.Players.Store(int64(w.players))
	w.halt(a)

	c := a.cell
	w.close(c)
	a.home = nil
	c.take(a)
	w.frame = frame(w.frame[:0], codec.AppendDisconnect(w.packet[:0], a.id))
	var saw [9]*cell
	n := 0
	w.grid.around(c, func(h *cell) {
		if a.seenFrom(h) {
			w.writers.Append(h.area, w.frame)
			w.drop(h, a)
			saw[n] = h
			n++
		}
	})
	for _, h := range saw[:n] {
		w.refill(h)
	}
	last := len(w.actors) - 1
	w.actors[a.all] = w.actors[last]
	w.actors[a.all].all = a.all
	w.actors[last] = nil
	w.actors = w.actors[:last]

	w.cfg.Accounts.Save(a.id, a.x, a.y)
	w.cfg.Accounts.Release(a.id)
}

// deny tells p alone why something was refused; why is what it is counted as.
func (w *world) deny(p *Player, why Denial, reason string) {
	w.stats.Denies[why].Add(1)
	w.private = frame(w.private[:0], codec.AppendDeny(w.packet[:0], reason))
	w.writers.Send(&p.Listener, w.private)
}

// appendModel appends the full model of a as a frame.
func (w *world) appendModel(dst []byte, a *actor) []byte {
	w.packet = codec.AppendModel(w.packet[:0], codec.Model{
		ID: a.id, User: a.id, InstanceID: a.id, EntityID: a.id,
		X: a.x, Y: a.y, Name: a.name, Avatar: a.avatar,
	})
	return codec.AppendTextFrame(dst, w.packet)
}

// steady is t in seconds since the world began, from 1, and 0 for the zero time.
// They do not jump when somebody sets the machine's clock.
func (w *world) steady(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return uint32(min(max(t.Sub(w.began).Round(time.Second)/time.Second, 0)+1, math.MaxUint32))
}

// fromSteady is the time of steady, in terms of what the clock says now.
func (w *world) fromSteady(seconds uint32) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	now := w.cfg.Now()
	return now.Add(w.began.Add(time.Duration(seconds-1) * time.Second).Sub(now))
}

func frame(dst, packet []byte) []byte { return codec.AppendTextFrame(dst, packet) }
