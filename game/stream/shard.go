package stream

// shard is one writer's part of an audience. Only that writer touches it.
type shard struct {
	aud     *Audience
	members []*Listener
	listed  int32 // index in the writer's list of shards with members, -1 for none
	dirty   bool  // waits in the writer's dirty list
	owing   bool  // waits in the writer's owing list
}

// settle puts l into aud at the cursors. A stream that it heard before goes on
// where it was.
func (l *Listener) settle(w *writer, aud *Audience, at [streams]Cursor) {
	for i := range at {
		if l.sh == nil || l.sh.aud.hears[i] != aud.hears[i] {
			l.cursors[i] = at[i]
		}
	}
	l.unlist(w)
	sh := &aud.shards[w.id]
	l.sh = sh
	l.index = int32(len(sh.members))
	sh.members = append(sh.members, l)
	if sh.listed < 0 {
		sh.listed = int32(len(w.shards))
		w.shards = append(w.shards, sh)
	}
}

// unlist takes l out of its shard, and the shard out of the writer's list with
// its last member.
func (l *Listener) unlist(w *writer) {
	sh := l.sh
	if sh == nil {
		return
	}
	last := len(sh.members) - 1
	sh.members[l.index] = sh.members[last]
	sh.members[l.index].index = l.index
	sh.members[last] = nil
	sh.members = sh.members[:last]
	if last == 0 {
		sh.members = nil
		end := len(w.shards) - 1
		w.shards[sh.listed] = w.shards[end]
		w.shards[sh.listed].listed = sh.listed
		w.shards[end] = nil
		w.shards = w.shards[:end]
		sh.listed = -1
	}
}

func (w *writer) markNews(s *Stream) {
	if s.only != nil {
		w.urgent = true
		w.markDirty(&s.only.shards[w.id])
		return
	}
	for _, sh := range w.shards {
		if sh.aud.hears[Chat] == s {
			w.markDirty(sh)
		}
	}
}

func (w *writer) markDirty(sh *shard) {
	if !sh.dirty && len(sh.members) > 0 {
		sh.dirty = true
		w.dirty = append(w.dirty, sh)
	}
}
