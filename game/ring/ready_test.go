package ring_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"tavern/game/ring"
)

// talker stands for a player: a queue and its place on the ready list.
type talker struct {
	node  ring.Node[talker]
	queue ring.Lazy[int]
	id    int
}

// ids empties the batch into the talkers' numbers.
func ids(b ring.Batch[talker]) []int {
	var got []int
	for p := b.Next(); p != nil; p = b.Next() {
		got = append(got, p.id)
	}
	return got
}

func TestSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("sizes are stated for 64-bit machines")
	}
	if got := unsafe.Sizeof(ring.Lazy[int]{}); got != 8 {
		t.Errorf("a Lazy takes %d bytes, want 8", got)
	}
	if got := unsafe.Sizeof(ring.Node[int]{}); got != 16 {
		t.Errorf("a Node takes %d bytes, want 16", got)
	}
}

func TestReadyList(t *testing.T) {
	players := make([]talker, 4)
	for i := range players {
		players[i].id = i
	}
	var l ring.ReadyList[talker]
	push := func(i int, want bool) {
		t.Helper()
		if got := l.Push(&players[i].node, &players[i]); got != want {
			t.Fatalf("push %d: got %v, want %v", i, got, want)
		}
	}
	empty := l.Take()
	if p := empty.Next(); p != nil {
		t.Fatalf("an empty list gave %d", p.id)
	}
	push(2, true)
	push(0, true)
	push(2, false) // there already
	push(3, true)
	b := l.Take()
	push(3, false) // taken but not yet yielded
	if p := b.Next(); p.id != 2 {
		t.Fatalf("first: got %d, want 2", p.id)
	}
	push(2, true) // yielded, so it goes on to the next list, not this batch
	push(1, true)
	if got := ids(b); len(got) != 2 || got[0] != 0 || got[1] != 3 {
		t.Fatalf("rest of the batch: got %v, want [0 3]", got)
	}
	if got := ids(l.Take()); len(got) != 2 || got[0] != 2 || got[1] != 1 {
		t.Fatalf("second batch: got %v, want [2 1]", got)
	}
	if got := ids(l.Take()); got != nil {
		t.Fatalf("third batch: got %v, want none", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a nil owner was taken")
		}
	}()
	l.Push(&players[0].node, nil)
}

// TestReadyListStress is the whole way in: many producers, each with several
// players, push packets and announce them; the taker drains whom it is told of
// and nobody else. A lost wakeup leaves packets behind and the test never ends;
// an owner yielded twice in a batch, or with its bit still set, fails it.
func TestReadyListStress(t *testing.T) {
	const producers, each = 8, 5
	packets := rounds(t, 8_000)
	players := make([]talker, producers*each)
	for i := range players {
		players[i].id = i
	}
	var l ring.ReadyList[talker]
	var linked atomic.Int64
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			mine := players[p*each : (p+1)*each]
			for n := range packets {
				for i := range mine {
					for !mine[i].queue.Push(n) {
						runtime.Gosched()
					}
					if l.Push(&mine[i].node, &mine[i]) {
						linked.Add(1)
					}
				}
			}
		})
	}
	next := make([]int, len(players)) // the packet each player's queue must give next
	inBatch := make([]int, len(players))
	var yielded int64
	total := packets * len(players)
	for got, batch := 0, 1; got < total; batch++ {
		b := l.Take()
		for p := b.Next(); p != nil; p = b.Next() {
			yielded++
			if inBatch[p.id] == batch {
				t.Fatalf("player %d twice in one batch", p.id)
			}
			inBatch[p.id] = batch
			for v, ok := p.queue.Pop(); ok; v, ok = p.queue.Pop() {
				if v != next[p.id] {
					t.Fatalf("player %d: got packet %d, want %d", p.id, v, next[p.id])
				}
				next[p.id]++
				got++
			}
			if batch%3 == 0 {
				p.queue.Retire() // false when a packet came at once: it is announced too
			}
		}
		runtime.Gosched()
	}
	wg.Wait()
	rest := l.Take() // players whose packets an earlier visit had drained already
	for p := rest.Next(); p != nil; p = rest.Next() {
		yielded++
		if n := p.queue.Len(); n != 0 {
			t.Errorf("player %d has %d packets more than were sent", p.id, n)
		}
	}
	if got := linked.Load(); got != yielded {
		t.Errorf("Push linked %d nodes, Take gave %d", got, yielded)
	}
}

// TestOneNodeManyProducers lets all push the same node: of those who race, one
// links it.
func TestOneNodeManyProducers(t *testing.T) {
	const producers = 8
	pushes := rounds(t, 20_000)
	var l ring.ReadyList[talker]
	var p talker
	var linked atomic.Int64
	var running atomic.Int64
	running.Store(producers)
	for range producers {
		go func() {
			defer running.Add(-1)
			for range pushes {
				if l.Push(&p.node, &p) {
					linked.Add(1)
				}
			}
		}()
	}
	var yielded int64
	for done := false; !done; {
		done = running.Load() == 0 // then one more Take sees everything
		b := l.Take()
		for owner := b.Next(); owner != nil; owner = b.Next() {
			if owner != &p {
				t.Fatal("somebody else's owner")
			}
			yielded++
		}
		runtime.Gosched()
	}
	if got := linked.Load(); got != yielded || got == 0 {
		t.Errorf("linked %d times, yielded %d times", got, yielded)
	}
}

func TestNoAllocations(t *testing.T) {
	var l ring.ReadyList[talker]
	players := make([]talker, 3)
	for i := range players {
		players[i].queue.Push(0) // the one allocation, of the ring
		players[i].queue.Pop()
	}
	got := testing.AllocsPerRun(1000, func() {
		for i := range players {
			players[i].queue.Push(i)
			l.Push(&players[i].node, &players[i])
		}
		b := l.Take()
		for p := b.Next(); p != nil; p = b.Next() {
			for _, ok := p.queue.Pop(); ok; _, ok = p.queue.Pop() {
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations per round, want 0", got)
	}
}
