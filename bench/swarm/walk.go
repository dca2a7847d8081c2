package swarm

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"
)

// WalkPlan lets the players walk: each from its home to a point one leg away and back,
// on a straight line at a known speed, so that a position tells the time at which its
// actor was there.
type WalkPlan struct {
	Place          *Place
	UnitsPerSecond float64 // of the server; default 70
	Nearest        int     // so many nearest neighbours are looked at apart; default 10
}

// WalkResult is what the walkers heard in the measured window.
type WalkResult struct {
	Walkers   int
	Updates   *Counts // deltas per client
	Bytes     *Counts // bytes per client
	Shown     *Counts // actors shown to each client at the end
	Observers int
	Seen      *Counts // moving actors that each observer knew of, whenever it looked

	// Ages of the positions that the observers knew, at random times: from the moment
	// the world was so, until now.
	Staleness *Histogram
	Nearest   *Histogram
	// From a walker's Target to its first own delta.
	Response *Histogram

	Targets uint64 // sent, in all
	Unknown uint64 // deltas, Disconnects and Despawns of actors never announced
	Doubled uint64 // full models of actors that were known already
}

func newWalkResult() *WalkResult {
	return &WalkResult{
		Updates: &Counts{}, Bytes: &Counts{}, Shown: &Counts{}, Seen: &Counts{},
		Staleness: NewHistogram(), Nearest: NewHistogram(), Response: NewHistogram(),
	}
}

func (r *WalkResult) merge(o *WalkResult) {
	r.Walkers += o.Walkers
	r.Updates.merge(o.Updates)
	r.Bytes.merge(o.Bytes)
	r.Shown.merge(o.Shown)
	r.Observers += o.Observers
	r.Seen.merge(o.Seen)
	r.Staleness.Merge(o.Staleness)
	r.Nearest.Merge(o.Nearest)
	r.Response.Merge(o.Response)
	r.Targets += o.Targets
	r.Unknown += o.Unknown
	r.Doubled += o.Doubled
}

// leg is one walk along a line. A delta of an actor that is d pixels along arrived d /
// speed after the leg began, plus what the delivery took. The earliest evidence, over
// every delta that anyone here got, tells when the leg began on the server's clock,
// but for the shortest delivery; that share is the same for all and is taken from the
// response times instead.
type leg struct {
	fromX, fromY float64
	ux, uy       float64 // direction
	length       float64
	sentAt       int64
	began        int64 // earliest evidence; far before the first
	answered     bool
}

// along returns how far a point is on the leg, or false when it is not on it.
func (l *leg) along(x, y float64) (float64, bool) {
	x, y = x-l.fromX, y-l.fromY
	d := x*l.ux + y*l.uy
	off := math.Abs(x*l.uy - y*l.ux)
	return d, off < 0.05 && d > -0.05 && d < l.length+0.05
}

// walker is the walk of one player.
type walker struct {
	task      *walkTask
	player    *player
	now, last leg // the present leg and the one before
	ends      [2][2]float64
	legs      int
	turnAt    int64
}

// walkTask turns the walkers round and lets the observers look about.
type walkTask struct {
	e         *Engine
	result    *WalkResult
	speed     float64 // pixels per ns
	nearest   int
	walkers   turns
	byActor   map[int64]*walker
	observers []*view
	looked    int
	at        int64
	lookAt    int64
	from, to  int64
	distances []neighbour
}

const (
	// settled is how long after its Target a walker is certainly on its way, with the
	// begin of its leg known well.
	settled = int64(time.Second)
	// arriving is how long before the expected end it may have arrived.
	arriving = int64(300 * time.Millisecond)
	// pause is between the expected end of a leg and the next Target.
	pause = int64(200 * time.Millisecond)
	// lookEvery is how often one of the observers looks about.
	lookEvery = int64(time.Millisecond)
)

func newWalkTask(e *Engine, plan *WalkPlan, run *RunPlan) *walkTask {
	perSecond := plan.UnitsPerSecond
	if perSecond <= 0 {
		perSecond = 70
	}
	t := &walkTask{
		e: e, result: newWalkResult(), speed: perSecond / 1e9, nearest: plan.Nearest,
		byActor: make(map[int64]*walker), from: run.MeasureFrom, to: run.End,
		at: run.Start, lookAt: run.MeasureFrom,
	}
	if t.nearest <= 0 {
		t.nearest = 10
	}
	for i, p := range e.players {
		if p.stage != inWorld {
			continue
		}
		w := &walker{task: t, player: p}
		w.ends[0][0], w.ends[0][1] = p.x, p.y
		w.ends[1][0], w.ends[1][1] = plan.Place.away(p.number)
		// Everybody is on the way before the window begins.
		w.turnAt = run.Start + (run.MeasureFrom-run.Start)*int64(i)/int64(len(e.players))
		w.now.began = far
		w.last.began = far
		p.walker = w
		t.walkers = append(t.walkers, w)
		t.byActor[p.id] = w
		if p.view != nil {
			t.observers = append(t.observers, p.view)
		}
	}
	heap.Init(&t.walkers)
	return t
}

// turns is a heap of walkers by the time of their next turn.
type turns []*walker

func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return t[i].turnAt < t[j].turnAt }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(w any)        { *t = append(*t, w.(*walker)) }
func (t *turns) Pop() any {
	last := len(*t) - 1
	w := (*t)[last]
	*t = (*t)[:last]
	return w
}

func (t *walkTask) next() int64 {
	if len(t.walkers) == 0 {
		return far
	}
	return t.at
}

func (t *walkTask) over() bool { return t.e.now >= t.to || len(t.walkers) == 0 }

func (t *walkTask) step(now int64) {
	for t.walkers[0].turnAt <= now {
		t.turn(t.walkers[0], now)
		heap.Fix(&t.walkers, 0)
	}
	if now >= t.lookAt && len(t.observers) > 0 {
		t.look(t.observers[t.looked%len(t.observers)], now)
		t.looked++
		// Not in step with anything.
		t.lookAt = now + lookEvery/2 + rand.Int64N(lookEvery)
	}
	t.at = now + lookEvery
}

// turn sends a walker to the other end of its line.
func (t *walkTask) turn(w *walker, now int64) {
	from, to := w.ends[w.legs&1], w.ends[1-w.legs&1]
	w.legs++
	w.last = w.now
	dx, dy := to[0]-from[0], to[1]-from[1]
	length := math.Hypot(dx, dy)
	w.now = leg{fromX: from[0], fromY: from[1], length: length, sentAt: now, began: far}
	if length > 0 {
		w.now.ux, w.now.uy = dx/length, dy/length
	}
	w.turnAt = now + int64(length/t.speed) + pause
	if w.player.conn.phase == open {
		t.result.Targets++
	}
	t.e.say(w.player.conn, appendTarget(nil, to[0], to[1]))
}

// seenBySelf takes an own delta: the answer to the Target, and evidence.
func (w *walker) seenBySelf(e *Engine, x, y float64) {
	d, on := w.now.along(x, y)
	if !on {
		return
	}
	if d > 0.05 && !w.now.answered {
		w.now.answered = true
		if w.now.sentAt >= w.task.from {
			w.task.result.Response.Record(nanos(e.now - w.now.sentAt))
		}
	}
	w.evidence(e.now, d)
}

// evidence notes that the walker was seen d along its present leg at the time now.
func (w *walker) evidence(now int64, d float64) {
	if d > 0.05 && d < w.now.length-0.05 {
		w.now.began = min(w.now.began, now-int64(d/w.task.speed))
	}
}

// sure reports whether the walker is certainly walking at the time now.
func (w *walker) sure(now int64) bool {
	return w.now.began != far && now-w.now.sentAt > settled && now < w.turnAt-pause-arriving
}
