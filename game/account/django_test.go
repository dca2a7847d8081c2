package account

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Everybody comes over from every stage of the tutorial and logs in with the
// old password; then the password is kept as ours are.
func TestImportDjango(t *testing.T) {
	users := []fixtureUser{
		{"username": "alice", "password": "correct horse", "x": 12.5, "y": -300.25, "avatar_id": 3},
		{"username": "Bjørn 2", "password": "пароль $ ' \"", "x": 0, "y": 7, "avatar_id": 5},
	}
	for _, c := range []struct {
		stage           string
		actors, avatars bool
		hashed          bool
		found           string
	}{
		{"lesson2", false, false, false, "users of the second lesson (server_user)"},
		{"lesson3", true, false, false, "users (server_user) with actors, as after the third lesson"},
		{"lesson5", true, true, false, "users (server_user) with actors and avatars, as after the fifth lesson"},
		{"early", true, false, false, "users (server_user) with actors, as after the third lesson"},
		{"final", true, true, true, "users of Django (auth_user) with actors, as in the final release"},
	} {
		t.Run(c.stage, func(t *testing.T) {
			path := databasePath(t)
			report := mustImport(t, job(oldDatabase(t, c.stage, users...), path))
			if report.Found != c.found {
				t.Errorf("found %q, want %q", report.Found, c.found)
			}
			if report.Imported != 2 || report.Adjusted != 0 {
				t.Errorf("report: %+v", report)
			}
			if got := report.Django == 2; got != c.hashed {
				t.Errorf("%d hashes of Django", report.Django)
			}
			for _, u := range users {
				prefix := "$argon2id$v=19$m=8,"
				if c.hashed {
					prefix = "pbkdf2_sha256$"
				}
				if got := storedPassword(t, path, u["username"].(string)); !strings.HasPrefix(got, prefix) {
					t.Errorf("stored as %q, want %s...", got, prefix)
				}
			}

			s := open(t, cheap(path))
			for i, u := range users {
				name, password := u["username"].(string), u["password"].(string)
				if _, err := login(s, name, password+"!"); err != ErrWrong {
					t.Errorf("%q with a wrong password: %v", name, err)
				}
				a := mustLogin(t, s, name, password)
				want := Account{ID: int64(i + 1), Name: name}
				if c.actors {
					want.X, want.Y = asFloat(u["x"]), asFloat(u["y"])
				}
				if c.avatars {
					want.Avatar = uint8(u["avatar_id"].(int))
				}
				if a != want {
					t.Errorf("got %+v, want %+v", a, want)
				}
				s.Release(a.ID)
			}
			if c.hashed {
				eventually(t, "the hashes are ours", func() bool { return s.Stats().Rehashed == 2 })
			}
			for _, u := range users {
				if got := storedPassword(t, path, u["username"].(string)); !strings.HasPrefix(got, "$argon2id$v=19$m=8,") {
					t.Errorf("still stored as %q", got)
				}
				mustLogin(t, s, u["username"].(string), u["password"].(string))
			}
		})
	}
}

func asFloat(v any) float64 {
	if n, ok := v.(int); ok {
		return float64(n)
	}
	return v.(float64)
}

// Whoever cannot come over as they were is told of, each with the reason.
func TestDjangoOddities(t *testing.T) {
	old := oldDatabase(t, "final",
		fixtureUser{"username": "alice", "password": "a", "hash": 10, "x": 1},
		fixtureUser{"username": "ALICE", "password": "b", "hash": 10, "x": 2},
		fixtureUser{"username": "bob@example.com", "password": "c", "hash": 10, "x": 3},
		fixtureUser{"username": "bob_example.com", "password": "d", "hash": 10, "x": 4},
		fixtureUser{"username": "carol", "password": "e", "hash": 10, "x": 5},
		fixtureUser{"username": strings.Repeat("long", 20), "password": "f", "hash": 10, "x": 6},
		fixtureUser{"username": "gone", "password": "g", "hash": 10, "is_active": false},
		fixtureUser{"username": "admin", "password": "h", "hash": 10, "is_staff": true, "is_superuser": true, "actor": false},
		fixtureUser{"username": "nopassword", "password": "", "raw": ""},
		fixtureUser{"username": "unusable", "password": "", "raw": "!4Jd8"},
		fixtureUser{"username": "otherhash", "password": "", "raw": "bcrypt_sha256$$2b$12$abc"},
		fixtureUser{"username": "damaged", "password": "", "raw": "pbkdf2_sha256$x$salt$key"},
		fixtureUser{"username": "plain", "password": "i", "raw": "i", "x": 7},
		fixtureUser{"username": "lost", "password": "j", "hash": 10},
		fixtureUser{"username": "looks", "password": "k", "hash": 10, "x": 9, "avatar_id": 77},
		fixtureUser{"username": "renamed", "password": "l", "hash": 10, "x": 10},
		fixtureUser{"username": "ｇｏｎｅ２", "password": "m", "hash": 10, "x": 11},
		fixtureUser{"username": "endless", "password": "n", "raw": "n" + strings.Repeat("n", 256)},
		fixtureUser{"username": " ", "password": "o", "hash": 10, "x": 12},
		fixtureUser{"username": "bodiless", "password": "p", "hash": 10},
	)
	db := raw(t, old)
	execute(t, db, "PRAGMA foreign_keys = off")
	execute(t, db, "UPDATE server_instancedentity SET x = 9e999 WHERE entity_id = (SELECT id FROM server_entity WHERE name = 'lost')")
	execute(t, db, "UPDATE server_entity SET name = 'Sir Renamed' WHERE name = 'renamed'")
	execute(t, db, "DELETE FROM server_instancedentity WHERE entity_id = (SELECT id FROM server_entity WHERE name = 'bodiless')")
	execute(t, db, "CREATE TABLE server_item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO server_item (name) VALUES ('sword'), ('shield')")
	db.Close()

	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "Carol", "mine")
	report := mustImport(t, job(old, path))

	for _, c := range []struct{ name, password, as, verdict, why string }{
		{"ALICE", "b", "ALICE_2", DjangoAdjusted, `its name is taken by "alice" (1 in auth_user)`},
		{"bob@example.com", "c", "bob_example.com_2", DjangoAdjusted, "its name is not one for here"},
		{"carol", "e", "carol_2", DjangoAdjusted, "its name is taken by an account that is here already"},
		{strings.Repeat("long", 20), "f", strings.Repeat("long", 8), DjangoAdjusted, "not be longer than 32"},
		{"gone", "", "", DjangoSkipped, "not active"},
		{"admin", "h", "admin", DjangoAdjusted, "superuser"},
		{"nopassword", "", "", DjangoSkipped, "no password"},
		{"unusable", "", "", DjangoSkipped, "unusable"},
		{"otherhash", "", "", DjangoSkipped, "hashed by bcrypt_sha256"},
		{"damaged", "", "", DjangoSkipped, "hash is damaged"},
		{"lost", "j", "lost", DjangoAdjusted, "(+Inf, 0) is no place"},
		{"looks", "k", "looks", DjangoAdjusted, "no avatar 77"},
		{"renamed", "l", "renamed", DjangoAdjusted, `called "Sir Renamed"`},
		{"endless", "", "", DjangoSkipped, "longer than 256"},
		{" ", "o", "player 19", DjangoAdjusted, "not one for here"},
		{"bodiless", "p", "bodiless", DjangoAdjusted, "its actor is nowhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := rowOf(t, report, c.name)
			if row.Verdict != c.verdict || row.As != c.as || row.Table != "auth_user" || !strings.Contains(strings.Join(row.Why, "; "), c.why) {
				t.Errorf("row %+v", row)
			}
			if c.as == "" {
				return
			}
			if got := mustLogin(t, s, c.as, c.password); got.Name != c.as || got.Role != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
	if got := rowOf(t, report, "admin").Why; len(got) != 2 || !strings.Contains(got[1], "no actor") {
		t.Errorf("why: %q", got)
	}
	// Without a row they are as they were.
	for name, c := range map[string]struct {
		password string
		x        float64
	}{"alice": {"a", 1}, "bob_example.com": {"d", 4}, "plain": {"i", 7}, "ｇｏｎｅ２": {"m", 11}} {
		if got := mustLogin(t, s, name, c.password); got.X != c.x || got.Name != name {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := mustLogin(t, s, "carol", "mine"); got.ID != 1 {
		t.Errorf("who was here is now %+v", got)
	}
	if want := []DjangoTable{{"server_item", 2}}; !reflect.DeepEqual(report.Left, want) {
		t.Errorf("left %+v, want %+v", report.Left, want)
	}
	if report.Skipped != 6 || report.Adjusted != 10 || report.Imported != 14 || len(report.Rows) != 16 {
		t.Errorf("%d skipped, %d adjusted, %d imported, %d rows", report.Skipped, report.Adjusted, report.Imported, len(report.Rows))
	}
}

func TestDjangoActorsWithoutUsers(t *testing.T) {
	report := mustImport(t, job(oldDatabase(t, "early", fixtureUser{"username": "alice", "password": "a"}), databasePath(t)))
	if row := rowOf(t, report, "wolf"); row.Verdict != DjangoOrphan || row.Table != "server_actor" {
		t.Errorf("row %+v", row)
	}
	if want := []DjangoTable{{"server_container", 2}}; !reflect.DeepEqual(report.Left, want) {
		t.Errorf("left %+v, want %+v", report.Left, want)
	}
}

// Two tables of users: those of the actors count, and of the others each is told.
func TestDjangoTwoTablesOfUsers(t *testing.T) {
	old := oldDatabase(t, "lesson5", fixtureUser{"username": "alice", "password": "a"})
	db := raw(t, old)
	execute(t, db, "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, password TEXT, is_active BOOL)")
	execute(t, db, "INSERT INTO auth_user VALUES (1, 'root', 'pbkdf2_sha256$1$a$b', 1)")
	db.Close()
	path := databasePath(t)
	report := mustImport(t, job(old, path))
	if row := rowOf(t, report, "root"); row.Verdict != DjangoSkipped || !strings.Contains(row.Why[0], "server_user") {
		t.Errorf("row %+v", row)
	}
	mustLogin(t, open(t, cheap(path)), "alice", "a")
}

// A second import changes nothing of whom the first has brought, and brings who
// registered on the old server since.
func TestImportDjangoAgain(t *testing.T) {
	old := oldDatabase(t, "final",
		fixtureUser{"username": "alice", "password": "a", "hash": 10, "x": 1},
		fixtureUser{"username": "bob", "password": "b", "hash": 10, "x": 2},
		fixtureUser{"username": "b!d", "password": "c", "hash": 10, "x": 3},
		fixtureUser{"username": "gone", "password": "d", "hash": 10, "is_active": false},
	)
	path := databasePath(t)
	mustImport(t, job(old, path))
	before := accountRows(t, path)

	report := mustImport(t, job(old, path))
	if report.Present != 3 || report.Imported != 0 || report.Skipped != 1 {
		t.Errorf("the second time: %+v", report)
	}
	if got := accountRows(t, path); got != before {
		t.Errorf("the second import changed\n%s\ninto\n%s", before, got)
	}

	// Things change on both sides.
	s := open(t, cheap(path))
	a := mustLogin(t, s, "alice", "a")
	s.Save(a.ID, 77, 78)
	eventually(t, "the hash is ours", func() bool { return s.Stats().Rehashed == 1 })
	shut(t, s)
	db := raw(t, path)
	execute(t, db, "UPDATE accounts SET role = 'moderator' WHERE name = 'bob'")
	execute(t, db, "PRAGMA foreign_keys = on; DELETE FROM accounts WHERE name = 'b_d'")
	db.Close()
	db = raw(t, old)
	execute(t, db, "UPDATE server_instancedentity SET x = 55")
	execute(t, db, "UPDATE auth_user SET username = 'alicia' WHERE username = 'alice'")
	execute(t, db, "UPDATE auth_user SET is_active = 1")
	db.Close()
	before = accountRows(t, path)

	report = mustImport(t, job(old, path))
	if report.Present != 3 || report.Imported != 1 {
		t.Errorf("the third time: %+v", report)
	}
	if got := accountRows(t, path); !strings.Contains(got, strings.Split(before, "\n")[0]) || !strings.Contains(got, "|bob|bob|") || strings.Contains(got, "b_d") {
		t.Errorf("the third import changed\n%s\ninto\n%s", before, got)
	}
	s = open(t, cheap(path))
	if a := mustLogin(t, s, "alice", "a"); a.X != 77 || a.Y != 78 {
		t.Errorf("alice stands at (%v, %v)", a.X, a.Y)
	}
	if b := mustLogin(t, s, "bob", "b"); b.Role != "moderator" || b.X != 2 {
		t.Errorf("bob is %+v", b)
	}
	if d := mustLogin(t, s, "gone", "d"); d.X != 55 {
		t.Errorf("who is active again stands at %v", d.X)
	}
	if _, err := login(s, "b_d", "c"); err != ErrWrong {
		t.Errorf("who was deleted here is back: %v", err)
	}
}

// Of two old servers both have a first user; they are two.
func TestImportDjangoFromTwoServers(t *testing.T) {
	path := databasePath(t)
	mustImport(t, job(oldDatabase(t, "lesson5", fixtureUser{"username": "alice", "password": "a"}), path))
	report := mustImport(t, job(oldDatabase(t, "lesson5", fixtureUser{"username": "alice", "password": "b"}), path))
	if report.Imported != 1 || rowOf(t, report, "alice").As != "alice_2" {
		t.Errorf("report %+v", report)
	}
	s := open(t, cheap(path))
	mustLogin(t, s, "alice", "a")
	mustLogin(t, s, "alice_2", "b")
}

// Who is interrupted has imported nothing.
func TestImportDjangoIsWholeOrNot(t *testing.T) {
	var users []fixtureUser
	for i := range 40 {
		users = append(users, fixtureUser{"username": fmt.Sprint("user", i), "password": "p"})
	}
	old, path := oldDatabase(t, "lesson5", users...), databasePath(t)
	ctx, cancel := context.WithCancel(t.Context())
	j := job(old, path)
	j.Progress = func(done, total int) {
		if total != 40 {
			t.Errorf("%d of %d", done, total)
		}
		if done == 20 {
			cancel()
		}
	}
	if _, err := ImportDjango(ctx, j); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	db := raw(t, path)
	var accounts int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM accounts) + (SELECT count(*) FROM imports)").Scan(&accounts); err != nil || accounts != 0 {
		t.Errorf("%d accounts, %v", accounts, err)
	}
	db.Close()
	// One row that cannot be written, the last, undoes all.
	s := open(t, cheap(path))
	shut(t, s)
	db = raw(t, path)
	execute(t, db, "CREATE TRIGGER no BEFORE INSERT ON accounts WHEN new.name = 'user39' BEGIN SELECT raise(ABORT, 'no'); END")
	if _, err := ImportDjango(t.Context(), job(old, path)); err == nil {
		t.Fatal("no error")
	}
	if err := db.QueryRow("SELECT (SELECT count(*) FROM accounts) + (SELECT count(*) FROM imports)").Scan(&accounts); err != nil || accounts != 0 {
		t.Errorf("%d accounts, %v", accounts, err)
	}
	execute(t, db, "DROP TRIGGER no")
	if report := mustImport(t, job(old, path)); report.Imported != 40 {
		t.Errorf("report %+v", report)
	}
}
