package ring_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"tavern/game/ring"
)

// nearWrap is where the stress tests start, so that the counters wrap early.
const nearWrap = math.MaxUint32 - 100

// rounds shrinks the work of a stress test under -short.
func rounds(t *testing.T, n int) int {
	t.Helper()
	if testing.Short() {
		return n / 20
	}
	return n
}

func TestNewRefusesCapacities(t *testing.T) {
	for _, capacity := range []int{-1, 0, 3, 33, math.MaxInt32} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%d) did not panic", capacity)
				}
			}()
			ring.New[int](capacity)
		})
	}
}

func TestSPSC(t *testing.T) {
	for _, start := range []uint32{0, math.MaxUint32, math.MaxUint32 - 2} {
		for _, capacity := range []int{1, 4} {
			t.Run(fmt.Sprintf("capacity %d from %d", capacity, start), func(t *testing.T) {
				r := ring.NewAt[*int](capacity, start)
				if v, ok := r.Pop(); ok {
					t.Fatalf("an empty ring gave %v", v)
				}
				for lap := range 3 {
					want := make([]*int, capacity)
					for i := range want {
						want[i] = new(lap*capacity + i)
						if got := r.Push(want[i]); got != ring.Pushed {
							t.Fatalf("push %d: %v", i, got)
						}
					}
					if got := r.Push(new(-1)); got != ring.Full {
						t.Fatalf("push to a full ring: got %v, want %v", got, ring.Full)
					}
					if got := r.Len(); got != capacity {
						t.Fatalf("Len: got %d, want %d", got, capacity)
					}
					if r.Retire() {
						t.Fatal("a ring with packets was retired")
					}
					for i, w := range want {
						if v, ok := r.Pop(); !ok || v != w {
							t.Fatalf("pop %d: got %v %v, want %v", i, v, ok, w)
						}
					}
					for i, v := range r.Slots() {
						if v != nil {
							t.Fatalf("slot %d still holds a popped value", i)
						}
					}
				}
			})
		}
	}
}

func TestSPSCRetire(t *testing.T) {
	r := ring.NewAt[int](4, math.MaxUint32)
	r.Push(1)
	r.Pop()
	for range 2 { // the second finds it closed already
		if !r.Retire() {
			t.Fatal("an empty ring was not retired")
		}
	}
	if got := r.Push(2); got != ring.Retired {
		t.Fatalf("push after Retire: got %v, want %v", got, ring.Retired)
	}
	if v, ok := r.Pop(); ok || r.Len() != 0 {
		t.Fatalf("a retired ring gave %d, Len %d", v, r.Len())
	}
}

func TestLazy(t *testing.T) {
	var l ring.Lazy[int]
	if _, ok := l.Pop(); ok || l.Len() != 0 || l.Ring() != nil {
		t.Fatal("a new holder is not empty")
	}
	if !l.Retire() {
		t.Fatal("Retire with no ring: got false, want true")
	}
	for lap := range 2 { // the second lap begins without a ring again
		for i := range ring.LazySlots {
			if !l.Push(i) {
				t.Fatalf("lap %d: push %d refused", lap, i)
			}
		}
		if l.Push(-1) {
			t.Fatalf("lap %d: a full ring took a packet", lap)
		}
		if l.Retire() {
			t.Fatalf("lap %d: a full ring was retired", lap)
		}
		for i := range ring.LazySlots {
			if v, ok := l.Pop(); !ok || v != i {
				t.Fatalf("lap %d: pop: got %d %v, want %d", lap, v, ok, i)
			}
		}
		if !l.Retire() || l.Ring() != nil {
			t.Fatalf("lap %d: the empty ring was kept", lap)
		}
	}
	// A ring that is retired but still in place, as between the two steps of
	// Lazy.Retire: the producer replaces it, the consumer finds the new one.
	old := ring.New[int](ring.LazySlots)
	old.Retire()
	l.Put(old)
	if !l.Push(7) || l.Ring() == old {
		t.Fatal("the packet did not go to a new ring")
	}
	if v, ok := l.Pop(); !ok || v != 7 {
		t.Fatalf("pop from the new ring: got %d %v, want 7", v, ok)
	}
}

// TestSPSCStress runs both sides at once across the wrap-around: every value
// exactly once, in order, whatever the refusals.
func TestSPSCStress(t *testing.T) {
	for _, capacity := range []int{1, 2, 32} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			r := ring.NewAt[int](capacity, nearWrap)
			n := rounds(t, 300_000)
			go func() {
				for i := 0; i < n; {
					if r.Push(i) == ring.Pushed {
						i++
					} else {
						runtime.Gosched()
					}
				}
			}()
			for want := 0; want < n; {
				v, ok := r.Pop()
				if !ok {
					runtime.Gosched()
					continue
				}
				if v != want {
					t.Fatalf("got %d, want %d", v, want)
				}
				want++
			}
			if got := r.Len(); got != 0 {
				t.Errorf("%d left over", got)
			}
		})
	}
}

// TestRetireStress races one retirement after another against pushes. The
// producer's last answer says how many went in; exactly those must come out.
func TestRetireStress(t *testing.T) {
	rings := make(chan *ring.SPSC[int])
	pushed := make(chan int)
	go func() {
		defer close(pushed)
		for r := range rings {
			n := 0
			for {
				switch r.Push(n) {
				case ring.Pushed:
					n++
					continue
				case ring.Full:
					runtime.Gosched()
					continue
				}
				break
			}
			pushed <- n
		}
	}()
	defer close(rings)
	lives := make(map[bool]int)
	for round := range rounds(t, 20_000) {
		r := ring.NewAt[int](2, math.MaxUint32)
		rings <- r
		want := 0
		for want < round%4 { // now and then try before the first push
			if v, ok := r.Pop(); !ok {
				runtime.Gosched()
			} else if v != want {
				t.Fatalf("got %d, want %d", v, want)
			} else {
				want++
			}
		}
		early := want
		for !r.Retire() {
			if v, ok := r.Pop(); !ok || v != want {
				t.Fatalf("Retire said a packet waits, Pop gave %d %v, want %d", v, ok, want)
			}
			want++
		}
		if got := <-pushed; got != want {
			t.Fatalf("the producer was told %d packets were taken, the consumer got %d", got, want)
		}
		lives[want > early]++
	}
	t.Logf("rings retired at the first attempt: %d, later: %d", lives[false], lives[true])
}

// TestLazyStress retires whenever the consumer finds the queue empty, while the
// producer goes on: across all those rings every value comes once, in order.
func TestLazyStress(t *testing.T) {
	var l ring.Lazy[int]
	l.Put(ring.NewAt[int](ring.LazySlots, nearWrap))
	n := rounds(t, 300_000)
	go func() {
		for i := 0; i < n; {
			if l.Push(i) {
				i++
			}
			if i%7 == 0 { // let the consumer find it empty now and then
				runtime.Gosched()
			}
		}
	}()
	retirements := 0
	for want := 0; want < n; {
		v, ok := l.Pop()
		if !ok {
			if l.Retire() {
				retirements++
			}
			runtime.Gosched()
			continue
		}
		if v != want {
			t.Fatalf("got %d, want %d", v, want)
		}
		want++
	}
	if !l.Retire() || l.Ring() != nil {
		t.Error("the holder kept a ring after the last packet")
	}
	t.Logf("%d retirements for %d packets", retirements, n)
}

// FuzzRing plays a script of operations on a Lazy and on a slice. Each byte is
// one operation: by its remainder push, pop, retire or count.
func FuzzRing(f *testing.F) {
	f.Add(uint32(0), []byte{0, 1, 2, 3})
	f.Add(uint32(math.MaxUint32), []byte{0, 0, 0, 1, 1, 1, 2, 0, 3, 1, 2, 2, 0})
	f.Add(uint32(math.MaxUint32-16), slices.Repeat([]byte{0}, 40))
	f.Fuzz(func(t *testing.T, start uint32, script []byte) {
		var l ring.Lazy[int]
		l.Put(ring.NewAt[int](ring.LazySlots, start))
		var model []int
		for i, op := range script {
			switch op % 4 {
			case 0:
				room := len(model) < ring.LazySlots
				if got := l.Push(i); got != room {
					t.Fatalf("step %d: push: got %v with %d waiting", i, got, len(model))
				}
				if room {
					model = append(model, i)
				}
			case 1:
				v, ok := l.Pop()
				if ok != (len(model) > 0) || ok && v != model[0] {
					t.Fatalf("step %d: pop: got %d %v, model %v", i, v, ok, model)
				}
				if ok {
					model = model[1:]
				}
			case 2:
				old := l.Ring()
				if got := l.Retire(); got != (len(model) == 0) {
					t.Fatalf("step %d: retire: got %v with %d waiting", i, got, len(model))
				}
				if old != nil && len(model) == 0 && old.Push(0) != ring.Retired {
					t.Fatalf("step %d: the retired ring took a packet", i)
				}
			case 3:
				if got := l.Len(); got != len(model) {
					t.Fatalf("step %d: Len: got %d, want %d", i, got, len(model))
				}
			}
		}
	})
}
