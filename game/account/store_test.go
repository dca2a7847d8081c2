package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestRegisterAndLogin(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "Rene\u0301 of Metz", "secret")
	mustRegister(t, s, "bob", "secret")

	want := Account{ID: 1, Name: "René of Metz", Avatar: 3}
	if got := mustLogin(t, s, "RENÉ OF METZ", "secret"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := mustLogin(t, s, "bob", "secret"); got.ID != 2 {
		t.Errorf("got %+v, want account 2", got)
	}
	shut(t, s)

	s = open(t, cheap(path))
	if got := mustLogin(t, s, "rené of metz", "secret"); got != want {
		t.Errorf("after a restart: got %+v, want %+v", got, want)
	}
}

func TestRefusals(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "alice", "secret")
	mustRegister(t, s, "in the world", "secret")
	mustLogin(t, s, "in the world", "secret")
	long := string(slices.Repeat([]byte("x"), 257))

	for _, c := range []struct {
		what, name, password string
		register             bool
		want                 string
	}{
		{"taken", "alice", "other", true, "This username is already taken"},
		{"taken in another case", "ALICE", "other", true, "This username is already taken"},
		{"register without a name", "", "p", true, "Username or password must not be empty"},
		{"register without a password", "carl", "", true, "Username or password must not be empty"},
		{"register against the rule", "<b>", "p", true, "Username may only contain letters, digits, spaces and _ - ."},
		{"register with a long password", "carl", long, true, "Password must not be longer than 256 bytes"},
		{"wrong password", "alice", "Secret", false, "Username or password incorrect"},
		{"unknown name", "nobody", "secret", false, "Username or password incorrect"},
		{"name against the rule", "<b>", "secret", false, "Username or password incorrect"},
		{"name not UTF-8", "\xff", "secret", false, "Username or password incorrect"},
		{"long password", "alice", long, false, "Username or password incorrect"},
		{"no name", "", "secret", false, "Username or password must not be empty"},
		{"no password", "alice", "", false, "Username or password must not be empty"},
		{"in the world", "in the world", "secret", false, "You are already logged in"},
		{"in the world, wrong password", "in the world", "x", false, "Username or password incorrect"},
	} {
		t.Run(c.what, func(t *testing.T) {
			var err error
			if c.register {
				err = register(s, c.name, c.password)
			} else {
				_, err = login(s, c.name, c.password)
			}
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Reason != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "alice", "secret")

	const clients = 20
	answers := make(chan error, clients)
	for range clients {
		go func() {
			_, err := login(s, "alice", "secret")
			answers <- err
		}()
	}
	in := 0
	for range clients {
		switch err := <-answers; err {
		case nil:
			in++
		case ErrLoggedIn:
		default:
			t.Errorf("got %v", err)
		}
	}
	if in != 1 || s.Stats().Claimed != 1 {
		t.Errorf("%d logins of one account at a time, %+v", in, s.Stats())
	}
	s.Release(1)
	s.Release(1)
	mustLogin(t, s, "alice", "secret")
	if s.Claim(1) {
		t.Error("an account that is logged in was claimed")
	}
	s.Release(1)
	if !s.Claim(1) {
		t.Error("a free account was not claimed")
	}
	if _, err := login(s, "alice", "secret"); err != ErrLoggedIn {
		t.Errorf("login of a claimed account: %v", err)
	}
}

func TestOneNameForMany(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	const clients = 30
	answers := make(chan error, clients)
	for i := range clients {
		go func() {
			answers <- register(s, []string{"alice", "Alice", "ＡＬＩＣＥ"}[i%3], fmt.Sprint("secret ", i))
		}()
	}
	in := 0
	for range clients {
		switch err := <-answers; err {
		case nil:
			in++
		case ErrTaken:
		default:
			t.Errorf("got %v", err)
		}
	}
	if in != 1 || s.Stats().Registered != 1 {
		t.Errorf("%d registrations of one name, %+v", in, s.Stats())
	}
}

func TestBusy(t *testing.T) {
	cfg := cheap(databasePath(t))
	cfg.Workers, cfg.Queue = 1, 2
	s := open(t, cfg)
	letGo := holdWorkers(t, s, 1)

	answers := make(chan error, 10)
	answer := func(err error) { answers <- err }
	for _, name := range []string{"alice", "bob"} {
		if err := s.Register(name, "secret", 0, answer); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := s.Register("carl", "secret", 0, answer); err != ErrBusy {
		t.Errorf("register with a full queue: %v", err)
	}
	if err := s.Login("carl", "secret", func(_ Account, err error) { answers <- err }); err != ErrBusy {
		t.Errorf("login with a full queue: %v", err)
	}
	if got := s.Stats(); got.Queued != 2 || got.QueueCapacity != 2 || got.Busy != 2 {
		t.Errorf("%+v", got)
	}
	letGo()
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if len(answers) != 0 {
		t.Error("a refused request was answered too")
	}
}

func TestClientGoesWhileItWaits(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "alice", "secret")
	asked := 0
	goes := func(after int) func() bool {
		asked = 0
		return func() bool { asked++; return asked <= after }
	}
	answers := make(chan error, 1)
	for _, c := range []struct {
		what  string
		after int
		want  error
	}{
		{"before its turn", 0, ErrGone},
		{"before the claim", 1, ErrGone},
		{"not at all", 2, nil},
	} {
		if err := s.LoginWhile(goes(c.after), "alice", "secret", func(_ Account, err error) { answers <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-answers; err != c.want {
			t.Errorf("login, the client goes %s: %v", c.what, err)
		}
		if claimed := s.Stats().Claimed == 1; claimed != (c.want == nil) {
			t.Errorf("login, the client goes %s: claimed is %v", c.what, claimed)
		}
	}
	if err := s.RegisterWhile(goes(0), "bob", "secret", 0, func(err error) { answers <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-answers; err != ErrGone {
		t.Errorf("register, the client goes before its turn: %v", err)
	}
	if _, err := login(s, "bob", "secret"); err != ErrWrong {
		t.Errorf("it was registered all the same: %v", err)
	}
	if got := s.Stats().Gone; got != 3 {
		t.Errorf("%d counted as gone, want 3", got)
	}
}

func TestPanicInAnAnswer(t *testing.T) {
	cfg := cheap(databasePath(t))
	cfg.Workers = 1
	s := open(t, cfg)
	if err := s.Register("alice", "secret", 0, func(error) { panic("writer") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Login("bob", "secret", func(Account, error) { panic("worker") }); err != nil {
		t.Fatal(err)
	}
	if err := register(s, "alice", "secret"); err != ErrTaken {
		t.Errorf("register: %v", err)
	}
	mustLogin(t, s, "alice", "secret")
}

func TestCloseAnswersWhatWaits(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	cfg.Workers = 1
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")
	letGo := holdWorkers(t, s, 1)
	answers := make(chan error, 20)
	for i := range cap(answers) {
		if err := s.Register(fmt.Sprint("player ", i), "secret", 0, func(err error) { answers <- err }); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan error)
	go func() { closed <- s.Close(t.Context()) }()
	eventually(t, "the refusal of new requests", func() bool {
		return s.Login("nobody", "secret", func(Account, error) {}) == ErrClosed
	})
	s.Save(1, 5, 6)
	letGo()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	for range cap(answers) {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if err := s.Register("late", "secret", 0, nil); err != ErrClosed {
		t.Errorf("register after Close: %v", err)
	}
	if err := s.Flush(t.Context()); err != ErrClosed {
		t.Errorf("flush after Close: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}

	s = open(t, cfg)
	for i := range cap(answers) {
		mustLogin(t, s, fmt.Sprint("player ", i), "secret")
	}
	if x, y, err := s.place(1); x != 5 || y != 6 || err != nil {
		t.Errorf("the position saved during Close: %v, %v, %v", x, y, err)
	}
}

func TestCloseCutShort(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	cfg.Workers, cfg.SaveEvery = 1, time.Hour
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")
	letGo := holdWorkers(t, s, 1)
	answers := make(chan error, 2)
	if err := s.Register("bob", "secret", 0, func(err error) { answers <- err }); err != nil {
		t.Fatal(err)
	}
	if err := s.Login("alice", "secret", func(_ Account, err error) { answers <- err }); err != nil {
		t.Fatal(err)
	}
	s.Save(1, 7, 8)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	// The workers are busy, and the positions have not waited for them.
	eventually(t, "the position on disk", func() bool { return s.Stats().Unsaved == 0 })
	letGo()
	for range 2 {
		if err := <-answers; err != ErrClosed {
			t.Errorf("a request that waited: %v", err)
		}
	}
	shut(t, s)
	s = open(t, cfg)
	if got := mustLogin(t, s, "alice", "secret"); got.X != 7 || got.Y != 8 {
		t.Errorf("got %+v, want the saved position", got)
	}
}

func TestRehash(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")
	mustRegister(t, s, "bob", "secret")
	shut(t, s)

	stored := func(s *Store, key string) string {
		t.Helper()
		_, password, err := s.find(key)
		if err != nil {
			t.Fatal(err)
		}
		h, err := parseHash(password)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(h.cost)
	}
	cfg.HashMemoryKiB, cfg.HashTime = 32, 3
	s = open(t, cfg)
	if _, err := login(s, "bob", "wrong"); err != ErrWrong {
		t.Error(err)
	}
	mustLogin(t, s, "alice", "secret")
	eventually(t, "the new hash", func() bool { return s.Stats().Rehashed == 1 })
	if got, want := stored(s, "alice"), "{32 3 1}"; got != want {
		t.Errorf("alice has logged in: her hash costs %s, want %s", got, want)
	}
	if got, want := stored(s, "bob"), "{8 1 1}"; got != want {
		t.Errorf("bob has not: his hash costs %s, want %s", got, want)
	}
	s.Release(1)
	mustLogin(t, s, "alice", "secret")
	shut(t, s)
	if got := s.Stats().Rehashed; got != 1 {
		t.Errorf("hashed anew %d times, want once", got)
	}
}

// A login is answered although its new hash cannot be written.
func TestRehashDoesNotHoldUpTheLogin(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")
	shut(t, s)

	cfg.HashTime = 2
	s = open(t, cfg)
	letGo := holdWriter(s)
	mustLogin(t, s, "alice", "secret")
	letGo()
}

func TestDamagedHashIsAnInternalError(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "alice", "secret")
	for _, damage := range []string{"", "$argon2id$", "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"} {
		if _, err := s.db.write.Exec("UPDATE accounts SET password = ?", damage); err != nil {
			t.Fatal(err)
		}
		_, err := login(s, "alice", "secret")
		internal(t, err)
		if !errors.Is(err, errHash) {
			t.Errorf("%q: %v", damage, err)
		}
	}
	if got := s.Stats().Claimed; got != 0 {
		t.Errorf("%d accounts claimed", got)
	}
}

// An unknown name and a wrong password take the same time: medians of
// interleaved logins. Without the hash against nobody it is one to twenty.
func TestEqualTime(t *testing.T) {
	cfg := cheap(databasePath(t))
	cfg.HashMemoryKiB, cfg.Workers = 2048, 1
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")

	failEqually(t, s, "nobody", "alice")
}

// failEqually fails a test unless failed logins in all names take the same time:
// medians of interleaved ones.
func failEqually(t *testing.T, s *Store, names ...string) {
	t.Helper()
	const samples, most = 150, 1.25
	var ratio float64
	for range 5 { // a machine that others use may spoil a try
		took := map[string][]time.Duration{}
		for range samples {
			for _, name := range names {
				began := time.Now()
				if _, err := login(s, name, "wrong"); err != ErrWrong {
					t.Fatal(err)
				}
				took[name] = append(took[name], time.Since(began))
			}
		}
		var medians []time.Duration
		for _, name := range names {
			slices.Sort(took[name])
			medians = append(medians, took[name][samples/2])
		}
		if ratio = float64(slices.Max(medians)) / float64(slices.Min(medians)); ratio < most {
			t.Logf("medians of %d failed logins of %q: %v", samples, names, medians)
			return
		}
	}
	t.Errorf("of failed logins in the names %q one takes %.2f times as long as another", names, ratio)
}

func TestObserveHash(t *testing.T) {
	cfg := cheap(databasePath(t))
	var mu sync.Mutex
	hashes := 0
	cfg.ObserveHash = func(took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if took <= 0 {
			t.Errorf("a hash took %v", took)
		}
		hashes++
	}
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")            // one hash
	mustLogin(t, s, "alice", "secret")               // one
	_, _ = login(s, "nobody", "secret")              // one
	_ = register(s, "ALICE", "secret")               // none: seen to be taken
	_ = register(s, "", "secret")                    // none
	_, _ = login(s, string(make([]byte, 600)), "xx") // none
	mu.Lock()
	defer mu.Unlock()
	if hashes != 3 {
		t.Errorf("%d hashes observed, want 3", hashes)
	}
}

func TestConfig(t *testing.T) {
	path := databasePath(t)
	for what, cfg := range map[string]Config{
		"no path":         {},
		"workers":         {Path: path, Workers: -1},
		"queue":           {Path: path, Queue: -1},
		"save every":      {Path: path, SaveEvery: -1},
		"too much memory": {Path: path, HashMemoryKiB: 1<<20 + 1},
		"too little":      {Path: path, HashMemoryKiB: 7},
		"too long":        {Path: path, HashMemoryKiB: 1 << 20, HashTime: 5},
	} {
		t.Run(what, func(t *testing.T) {
			if s, err := Open(t.Context(), cfg); err == nil {
				shut(t, s)
				t.Error("taken")
			}
		})
	}
	full, err := Config{Path: path}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := full.cost(), (cost{19456, 2, 1}); got != want {
		t.Errorf("default cost %+v, want %+v", got, want)
	}
	if full.Workers < 1 || full.Workers > 4 || full.Queue != 256 || full.SaveEvery != time.Second || full.Logger == nil {
		t.Errorf("defaults: %+v", full)
	}
}
