package main

import "time"

// mostEntries bounds a table: some megabytes at most.
const mostEntries = 1 << 15

// table keeps something for each key, for mostEntries keys at most. When it is
// full, those entries go that are as good as forgotten, looked for once a second
// at most; if there are none, any one goes, so that whoever could fill the table
// (with a /48 of IPv6, say) gains nothing but that.
//
// The caller guards it. rested must be set.
type table[K comparable, V any] struct {
	rested  func(V, time.Time) bool
	entries map[K]V
	swept   time.Time
}

func (t *table[K, V]) get(key K) (V, bool) {
	v, ok := t.entries[key]
	return v, ok
}

func (t *table[K, V]) put(key K, v V, now time.Time) {
	if t.entries == nil {
		t.entries = make(map[K]V)
	}
	if _, ok := t.entries[key]; !ok && len(t.entries) >= mostEntries {
		t.makeRoom(now)
	}
	t.entries[key] = v
}

func (t *table[K, V]) remove(key K) { delete(t.entries, key) }

func (t *table[K, V]) makeRoom(now time.Time) {
	if now.Sub(t.swept) >= time.Second {
		t.swept = now
		for k, v := range t.entries {
			if t.rested(v, now) {
				delete(t.entries, k)
			}
		}
	}
	for k := range t.entries { // in no order
		if len(t.entries) < mostEntries {
			return
		}
		delete(t.entries, k)
	}
}
