package stream

// Pose is where something that moves is now, as a frame that may be left out: a
// later pose says all that this one said. It never changes once it is made.
type Pose struct {
	x, y  float32
	moved uint32 // tick in which it was made
	id    uint32 // staggers the rates
	of    *Listener
	n     uint8
	frame [maxPoseBytes]byte
}

// maxPoseBytes holds the longest delta: two ids of 19 digits, two coordinates of
// 14 characters, 116 characters of JSON and 4 bytes of frame header, rounded up.
const maxPoseBytes = 190

// near is how many of the nearest, its own actor among them, a listener hears of
// at the full rate when there is not room for all.
const near = 11

// maxPeriod is the most ticks between two poses of one actor in a crowd, a
// power of two.
const maxPeriod = 64

// scene is what an area's audience may see as of one tick: how far its stream is
// published, and the latest pose of everybody in view who has ever moved. One
// pointer publishes both, so a pose is never sent to one who has not been told of
// its actor, or has been told that it is gone.
type scene struct {
	head  uint64
	tick  uint32
	poses []*Pose
}

// NewPose makes the pose of an actor at x, y in this tick. id tells actors apart
// for staggering, of is the actor's own player, frame the delta. Loop only.
func (ws *Writers) NewPose(x, y float64, id int64, of *Listener, frame []byte) *Pose {
	p := &Pose{x: float32(x), y: float32(y), moved: ws.tick, id: uint32(id), of: of}
	p.n = uint8(copy(p.frame[:], frame))
	return p
}

// Tick is the one in which the pose was made. See CaughtUp.
func (p *Pose) Tick() uint32 { return p.moved }

// Show says where everybody in the sight of aud is now. poses is kept and must
// not change. Loop only.
func (ws *Writers) Show(aud *Audience, poses []*Pose) {
	aud.poses = poses
	ws.tell(aud.hears[Area])
}

// poses gathers what has moved since l was last shown the scene, within the
// bandwidth. Its cursor must stand at the scene's head. now is the last published
// tick or one before it, and not before any scene older than sc.
//
// When all of it fits, all is sent. Otherwise the nearest are, and of the others
// each at every period-th tick, at a tick that depends on its id, so that writes
// stay even. Periods are powers of two: a tick that is a turn for a long period is
// one for every shorter, so whatever the periods were in between, an actor's
// last pose is sent within the longest of them. That is why, until everything has
// fitted again, "since last time" reaches back by the longest period, and l is
// visited in every tick, also when nobody moves any more.
//
// One who moves here while its tick is being published may be shown the scene
// before it, and so an actor one step behind the model it was just sent. The
// scene of the tick itself follows at once.
func (g *gather) poses(l *Listener, sc *scene, now uint32) {
	w := g.w
	last := l.seen
	if l.period == 0 || int32(now-sc.tick) < 0 {
		now = sc.tick
	}
	if int32(now-last) <= 0 { // shown already, or before it came here
		if l.period > 0 {
			w.owe(l.sh)
		}
		return
	}
	l.seen = now
	since := last - min(last, uint32(l.period))
	w.pending = w.pending[:0]
	bytes := 0
	var own *Pose
	for _, p := range sc.poses {
		if p.moved > since {
			w.pending = append(w.pending, p)
			bytes += int(p.n)
		}
		if p.of == l {
			own = p
		}
	}
	if e := l.extra; e != nil && e.own != nil {
		if own == nil {
			own = e.own
		} else {
			e.own = nil
		}
	}
	room := int(float64(min(now-last, w.perSecond)) * w.bytesPerTick)
	if bytes <= room {
		l.period = 0
		for _, p := range w.pending {
			g.add(p.frame[:p.n])
		}
		return
	}
	w.stats.Throttled.Add(1)
	w.owe(l.sh)
	slots := room * len(w.pending) / bytes // how many poses fit
	nearest := 0
	if own != nil {
		nearest = w.nearestFirst(own, min(near, slots*2/3))
		for _, p := range w.pending[:nearest] {
			g.add(p.frame[:p.n])
		}
	}
	rest := w.pending[nearest:]
	period := uint32(2)
	for period < maxPeriod && len(rest) > int(period)*max(slots-nearest, 1) {
		period *= 2
	}
	l.period = max(l.period, uint8(period))
	for _, p := range rest {
		if (now+p.id)/period != (last+p.id)/period {
			g.add(p.frame[:p.n])
		}
	}
}

// owe notes that a member of sh was left something out, so that the shard is
// visited in the next tick whether or not it has news.
func (w *writer) owe(sh *shard) {
	if !sh.owing {
		sh.owing = true
		w.owing = append(w.owing, sh)
		w.owes.Store(true)
	}
}

// remind marks the shards dirty that were owed something in an earlier tick.
func (w *writer) remind() {
	now := w.clock.Load()
	if len(w.owing) == 0 || now == w.reminded {
		return
	}
	w.reminded = now
	for _, sh := range w.owing {
		sh.owing = false
		w.markDirty(sh)
	}
	clear(w.owing)
	w.owing = w.owing[:0]
	w.owes.Store(false)
}

// nearestFirst puts the n poses nearest to own at the front of pending and
// returns how many they are.
func (w *writer) nearestFirst(own *Pose, n int) int {
	var dist [near]float32
	n = min(n, len(w.pending))
	found := 0
	for i, p := range w.pending {
		dx, dy := p.x-own.x, p.y-own.y
		d := dx*dx + dy*dy
		at := found
		if found == n {
			if n == 0 || d >= dist[n-1] {
				continue
			}
			at--
		} else {
			found++
		}
		// p comes to place at; whoever stood there takes p's, and p sinks to
		// where it belongs among the nearest.
		w.pending[i], w.pending[at] = w.pending[at], p
		dist[at] = d
		for ; at > 0 && dist[at] < dist[at-1]; at-- {
			dist[at], dist[at-1] = dist[at-1], dist[at]
			w.pending[at], w.pending[at-1] = w.pending[at-1], w.pending[at]
		}
	}
	return found
}
