package account

import (
	"database/sql"
	"errors"
	"fmt"
)

// request waits for a worker. Either registered or loggedIn is set.
type request struct {
	name, password string
	avatar         uint8
	alive          func() bool
	registered     func(error)
	loggedIn       func(Account, error)
}

// Register makes an account at (0, 0). It returns at once: a Refusal when the
// request cannot be taken, and then done is not called; or nil, and then done
// is called exactly once, by a worker or the writer, which it must not block.
// It gets nil when the account is on disk, a Refusal, or an internal error.
func (s *Store) Register(name, password string, avatar uint8, done func(error)) error {
	return s.RegisterWhile(nil, name, password, avatar, done)
}

// RegisterWhile is Register for a client that may go away while it waits:
// alive, unless it is nil, is asked by a worker at the request's turn, and if
// it says no, done gets ErrGone and nothing else happens. A registration that
// has begun is finished.
func (s *Store) RegisterWhile(alive func() bool, name, password string, avatar uint8, done func(error)) error {
	display, err := checkRegistration(name, password)
	if err != nil {
		return err
	}
	return s.offer(request{name: display, password: password, avatar: avatar, alive: alive, registered: done})
}

// Login checks a password and claims the account. It returns at once like
// Register. done gets the account, which is then claimed until Release, a
// Refusal, or an internal error. Whether a name exists can be told neither
// from the answer nor from how long it takes.
func (s *Store) Login(name, password string, done func(Account, error)) error {
	return s.LoginWhile(nil, name, password, done)
}

// LoginWhile is Login for a client that may go away while it waits: alive is
// asked as in RegisterWhile, and once more before the account is claimed.
func (s *Store) LoginWhile(alive func() bool, name, password string, done func(Account, error)) error {
	if err := checkLogin(name, password); err != nil {
		return err
	}
	return s.offer(request{name: name, password: password, alive: alive, loggedIn: done})
}

// offer puts the request on the queue, or refuses it.
func (s *Store) offer(r request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	select {
	case s.queue <- r:
		return nil
	default:
		s.counters.busy.Add(1)
		return ErrBusy
	}
}

func (r request) gone() bool { return r.alive != nil && !r.alive() }

// worker is one goroutine that works on requests.
type worker struct {
	*Store
	hasher hasher
}

func (w *worker) run() {
	defer w.hasher.thread.Stop()
	for {
		select {
		case r, ok := <-w.queue:
			if !ok {
				return
			}
			w.serve(r)
			continue
		default:
		}
		// Nobody waits: a server at rest does not hold the memory for hashing.
		w.hasher.thread.Release()
		r, ok := <-w.queue
		if !ok {
			return
		}
		w.serve(r)
	}
}

func (w *worker) serve(r request) {
	var refusal error
	switch {
	case w.abandoned():
		refusal = ErrClosed
	case r.gone():
		w.counters.gone.Add(1)
		refusal = ErrGone
	}
	if r.registered != nil {
		if refusal == nil {
			refusal = w.register(r)
		}
		if refusal != nil {
			_ = w.troubles.note(refusal)
			w.answer(func() { r.registered(refusal) })
		}
		return
	}
	if refusal != nil {
		w.answer(func() { r.loggedIn(Account{}, refusal) })
		return
	}
	found, old, err := w.login(r)
	_ = w.troubles.note(err)
	w.answer(func() { r.loggedIn(found, err) })
	if err == nil {
		w.rehash(found.ID, old, r.password)
	}
}

// register hashes the password and passes the account on to the writer, who
// answers then. An error is the answer.
func (w *worker) register(r request) (err error) {
	defer w.troubles.survive("a registration", &err)
	key := nameKey(r.name)
	// A look before the work: the writer has the last word, but most names that
	// are taken have been so for long.
	switch _, _, err := w.find(key); {
	case err == nil:
		return ErrTaken
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("account: registration: %w", err)
	}
	made, err := w.hasher.hash(r.password)
	if err != nil {
		return fmt.Errorf("account: registration: %w", err)
	}
	// When the writer is behind, this waits, the queue fills and refuses.
	w.writer.changes <- w.writer.registration(r.name, key, made.String(), r.avatar, r.registered)
	return nil
}

// login checks the password, and gives the claimed account and its hash.
func (w *worker) login(r request) (granted Account, of hash, err error) {
	defer w.troubles.survive("a login", &err)
	fail := func(err error) (Account, hash, error) { return Account{}, hash{}, err }

	found, stored, err := w.find(nameKey(r.name))
	known := err == nil
	switch {
	case errors.Is(err, sql.ErrNoRows):
		stored = w.nobody.String()
	case err != nil:
		return fail(fmt.Errorf("account: login: %w", err))
	}
	old, err := parseHash(stored)
	if err != nil {
		return fail(fmt.Errorf("account: login of account %d: %w", found.ID, err))
	}
	w.learnIterations(old)
	matches, err := w.hasher.matches(old, r.password)
	failed := !matches || !known
	if failed && err == nil {
		err = w.hasher.even(old, r.password, w.iterations.Load())
	}
	switch {
	case err != nil:
		return fail(fmt.Errorf("account: login: %w", err))
	case failed:
		return fail(ErrWrong)
	case r.gone():
		w.counters.gone.Add(1)
		return fail(ErrGone)
	case !w.claims.add(found.ID):
		return fail(ErrLoggedIn)
	}
	// Whoever had the account before saved its position before the release,
	// so from here on it does not change under our eyes.
	if found.X, found.Y, err = w.place(found.ID); err != nil {
		w.claims.remove(found.ID)
		return fail(fmt.Errorf("account: login of account %d: %w", found.ID, err))
	}
	w.counters.loggedIn.Add(1)
	return found, old, nil
}

// rehash brings a hash to the configured cost, now that the password is known
// and the login is answered. If it fails, the next login does it.
func (w *worker) rehash(id int64, old hash, password string) {
	var err error // logged
	defer w.troubles.survive("a new hash", &err)
	if old.cost == w.hasher.cost && len(old.key) == keyBytes || w.abandoned() {
		return
	}
	made, err := w.hasher.hash(password)
	if err != nil {
		w.log.Warn("a password was not hashed anew", "account", id, "error", err)
		return
	}
	select {
	case w.writer.changes <- w.writer.upgrade(id, old.String(), made.String()):
	default: // the writer is behind: not now
	}
}

// find gives an account without its position, and its stored password hash;
// or sql.ErrNoRows.
func (s *Store) find(key string) (a Account, password string, err error) {
	err = s.byKey.QueryRow(key).Scan(&a.ID, &a.Name, &password, &a.Avatar, &a.Role)
	return a, password, err
}

// place is the newest position of an account. The order of the two looks
// matters: see positions.
func (s *Store) place(id int64) (x, y float64, err error) {
	if at, ok := s.positions.get(id); ok {
		return at.x, at.y, nil
	}
	err = s.placeOf.QueryRow(id).Scan(&x, &y)
	return x, y, err
}
