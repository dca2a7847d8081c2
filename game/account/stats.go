package account

import "sync/atomic"

// counters only grow.
type counters struct {
	busy, gone, registered, loggedIn, rehashed atomic.Uint64
	commits, saved, saveErrors, failed, panics atomic.Uint64
}

// Stats is what an operator may want to know. Fields that count things done
// only grow.
type Stats struct {
	Queued        int    // requests that wait for a worker
	QueueCapacity int    // more are refused
	Claimed       int    // accounts in the world
	Unsaved       int    // positions not yet on disk
	Busy          uint64 // requests refused because the queue was full
	Gone          uint64 // requests whose client had gone before their turn
	Registered    uint64
	LoggedIn      uint64
	Rehashed      uint64 // passwords whose hash was brought to the configured cost
	Commits       uint64 // transactions of registrations; Registered/Commits share one
	Saved         uint64 // positions written
	SaveErrors    uint64 // attempts to write positions that failed
	NotFinite     uint64 // positions dropped because they were no place
	Failed        uint64 // requests that the database did not let us grant
	Panics        uint64 // mistakes of ours, each of which failed one request
}

// Stats reads the figures. It takes no lock for longer than a moment.
func (s *Store) Stats() Stats {
	s.positions.mu.Lock()
	dropped := s.positions.dropped
	s.positions.mu.Unlock()
	return Stats{
		Queued:        len(s.queue),
		QueueCapacity: cap(s.queue),
		Claimed:       s.claims.len(),
		Unsaved:       s.positions.backlog(),
		Busy:          s.counters.busy.Load(),
		Gone:          s.counters.gone.Load(),
		Registered:    s.counters.registered.Load(),
		LoggedIn:      s.counters.loggedIn.Load(),
		Rehashed:      s.counters.rehashed.Load(),
		Commits:       s.counters.commits.Load(),
		Saved:         s.counters.saved.Load(),
		SaveErrors:    s.counters.saveErrors.Load(),
		NotFinite:     dropped,
		Failed:        s.counters.failed.Load(),
		Panics:        s.counters.panics.Load(),
	}
}

// SaverError is why positions cannot be written at present, nil while they can.
func (s *Store) SaverError() error {
	if err := s.writer.failure.Load(); err != nil {
		return *err
	}
	return nil
}
