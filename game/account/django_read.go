package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3"
)

// oldWorld is what there is in the old database, read at one point in time.
type oldWorld struct {
	source string // tells it from others, for ever
	found  string
	users  []oldUser
	rows   []DjangoRow // what belongs to no user
	left   []DjangoTable
}

// oldUser is a user with its actor.
type oldUser struct {
	table    string
	id       int64
	name     string
	password string // a hash in a form that parseHash reads, or
	plain    bool   // as it is typed
	avatar   uint8
	x, y     float64
	joined   *int64 // in Unix seconds, if it is known

	skip string   // why it is not to be imported
	why  []string // what of it is not imported as it was
}

// readDjango reads the whole old database. Nothing is changed there.
func readDjango(ctx context.Context, path string, mostAvatar uint8) (oldWorld, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return oldWorld{}, err
	}
	pragmas, err := oldPragmas(full)
	if err != nil {
		return oldWorld{}, err
	}
	db, err := sql.Open("sqlite3", dataSource(full, pragmas))
	if err != nil {
		return oldWorld{}, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	// One transaction sees one state, also while the old server writes.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return oldWorld{}, explainOld(err)
	}
	defer tx.Rollback()
	var application int
	if err := tx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&application); err != nil {
		return oldWorld{}, explainOld(err)
	}
	if application == applicationID {
		return oldWorld{}, errors.New("this is a database of this server, not of the tutorial's")
	}
	r := djangoReader{ctx: ctx, tx: tx, mostAvatar: mostAvatar}
	old, err := r.read()
	return old, explainOld(err)
}

// oldPragmas says how to open a file so that nothing beside it changes either.
func oldPragmas(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	const magic, readVersion, logged = "SQLite format 3\x00", 19, 2
	head := make([]byte, 20)
	if _, err := io.ReadFull(file, head); err != nil || string(head[:len(magic)]) != magic {
		return "", ErrNotDatabase
	}
	if _, err := os.Stat(path + "-wal"); err != nil && head[readVersion] == logged {
		// It has a write-ahead log when it is open, so nobody has it open. Even
		// a reader would make a log, and leave it.
		return "mode=ro&immutable=1", nil
	}
	return "mode=ro&_busy_timeout=5000", nil
}

// explainOld adds what to do where SQLite's own words do not help.
func explainOld(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) {
		switch {
		case e.ExtendedCode == sqlite3.ErrReadonlyRollback, e.ExtendedCode == sqlite3.ErrReadonlyRecovery, e.Code == sqlite3.ErrCantOpen:
			return fmt.Errorf("its last transaction was cut off, or its log cannot be read: start and stop the old server once, and try again: %w", err)
		case e.Code == sqlite3.ErrBusy:
			return fmt.Errorf("the old server is writing all the time: stop it, and try again: %w", err)
		}
	}
	return classify(err)
}

// djangoReader reads tables whose names it has found. Every column is read as
// "+column", which has no declared type: the driver would turn what it takes
// for a date or a truth value into something else.
type djangoReader struct {
	ctx        context.Context
	tx         *sql.Tx
	mostAvatar uint8
}

func (r djangoReader) read() (oldWorld, error) {
	shape, err := r.findTables()
	if err != nil {
		return oldWorld{}, err
	}
	old := oldWorld{found: shape.String(), left: []DjangoTable{}}
	if old.source, err = r.fingerprint(shape); err != nil {
		return oldWorld{}, err
	}
	actors, err := r.actors(shape)
	if err != nil {
		return oldWorld{}, err
	}
	if old.users, err = r.users(shape.users); err != nil {
		return oldWorld{}, err
	}
	for i := range old.users {
		u := &old.users[i]
		if shape.actors != "" {
			r.embody(u, actors[u.id])
			delete(actors, u.id)
		}
	}
	old.rows = orphans(shape.actors, actors)
	for _, table := range shape.otherUsers {
		others, err := r.users(table)
		if err != nil {
			return oldWorld{}, err
		}
		for _, u := range others {
			u.skip = fmt.Sprintf("it is in the table %s, while those who play are in %s", table.name, shape.users.name)
			old.users = append(old.users, u)
		}
	}
	for _, name := range shape.rest {
		var rows int
		if err := r.tx.QueryRowContext(r.ctx, "SELECT count(*) FROM "+quoted(name)).Scan(&rows); err != nil {
			return oldWorld{}, err
		}
		if rows > 0 {
			old.left = append(old.left, DjangoTable{name, rows})
		}
	}
	return old, nil
}

// fingerprint is the moment at which this database got its first table, by
// which one can tell it from others and know it again.
func (r djangoReader) fingerprint(shape djangoShape) (string, error) {
	print := "django " + shape.users.name
	if !shape.migrations {
		return print, nil
	}
	var first string
	err := r.tx.QueryRowContext(r.ctx, "SELECT app || ' ' || name || ' ' || applied FROM django_migrations ORDER BY id LIMIT 1").Scan(&first)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	return strings.TrimSpace(print + " " + first), nil
}

func (r djangoReader) users(table userTable) ([]oldUser, error) {
	optional := func(column string) string {
		if table.columns[column] {
			return "+" + quoted(column)
		}
		return "NULL"
	}
	rows, err := r.tx.QueryContext(r.ctx, fmt.Sprintf("SELECT id, +username, +password, %s, %s, %s, %s FROM %s ORDER BY id",
		optional("is_active"), optional("is_staff"), optional("is_superuser"), optional("date_joined"), quoted(table.name)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var users []oldUser
	for rows.Next() {
		var name, password, active, staff, super, joined any
		u := oldUser{table: table.name}
		if err := rows.Scan(&u.id, &name, &password, &active, &staff, &super, &joined); err != nil {
			return nil, err
		}
		u.name = text(name)
		u.judge(text(password))
		switch {
		case active == int64(0):
			u.skip = "it is not active there (is_active), so its owner could not log in"
		case u.name == "":
			u.skip = "it has no name"
		}
		if staff == int64(1) || super == int64(1) {
			u.why = append(u.why, "it is staff or superuser there, and has no role here")
		}
		if at, err := time.Parse("2006-01-02 15:04:05", text(joined)); err == nil { // fractions of a second are taken too
			seconds := at.Unix()
			u.joined = &seconds
		}
		users = append(users, u)
	}
	return users, rows.Err()
}

// judge sets the password, or why it cannot be taken over.
func (u *oldUser) judge(password string) {
	form, _, _ := strings.Cut(password, "$")
	switch _, err := parseDjangoHash(password); {
	case err == nil:
		u.password = password
	case password == "":
		u.skip = "it has no password, and nobody can log in here without"
	case form+"$" == djangoPrefix:
		u.skip = "its password hash is damaged"
	case djangoHashers[form]:
		u.skip = fmt.Sprintf("its password is hashed by %s, which this server does not know", form)
	case password[0] == '!' && strings.HasPrefix(u.table, "auth_"):
		u.skip = "its password is marked unusable there, so its owner could not log in"
	case len(password) > maxPasswordBytes:
		u.skip = fmt.Sprintf("its password is longer than %d bytes", maxPasswordBytes)
	case !utf8.ValidString(password):
		u.skip = "its password is not text"
	default:
		u.password, u.plain = password, true
	}
}

// djangoHashers are the other functions that Django can be told to use.
var djangoHashers = map[string]bool{
	"pbkdf2_sha1": true, "argon2": true, "bcrypt": true, "bcrypt_sha256": true, "scrypt": true,
	"sha1": true, "md5": true, "unsalted_sha1": true, "unsalted_md5": true, "crypt": true,
}

// oldActor is the body of a user.
type oldActor struct {
	id           int64
	x, y, avatar any
	name         any // of its entity
	instance     any // NULL when the actor refers to nothing
	more         int // other actors of the same user, which are passed over
}

// actors gives the first actor of each user by the user's id; those without a
// user have the negative of their own id.
func (r djangoReader) actors(shape djangoShape) (map[int64]oldActor, error) {
	actors := map[int64]oldActor{}
	if shape.actors == "" {
		return actors, nil
	}
	avatar := "0"
	if shape.avatars {
		avatar = "+a.avatar_id"
	}
	rows, err := r.tx.QueryContext(r.ctx, fmt.Sprintf(`SELECT a.id, +a.user_id, %s, i.id, +i.x, +i.y, +e.name FROM %s a
		LEFT JOIN %s i ON i.id = a.instanced_entity_id LEFT JOIN %s e ON e.id = i.entity_id ORDER BY a.id`,
		avatar, quoted(shape.actors), quoted(shape.instances), quoted(shape.entities)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a oldActor
		var user any
		if err := rows.Scan(&a.id, &user, &a.avatar, &a.instance, &a.x, &a.y, &a.name); err != nil {
			return nil, err
		}
		key, ok := user.(int64)
		if !ok {
			key = -a.id
		}
		if first, ok := actors[key]; ok {
			first.more++
			a = first
		}
		actors[key] = a
	}
	return actors, rows.Err()
}

// embody gives a user the place and looks of its actor; the zero actor is none.
func (r djangoReader) embody(u *oldUser, a oldActor) {
	if a.id == 0 {
		u.why = append(u.why, "it has no actor: it begins at (0, 0)")
		return
	}
	x, okX := coordinate(a.x)
	y, okY := coordinate(a.y)
	switch {
	case a.instance == nil:
		u.why = append(u.why, "its actor is nowhere: it begins at (0, 0)")
	case !okX || !okY:
		u.why = append(u.why, fmt.Sprintf("its position (%v, %v) is no place: it begins at (0, 0)", text(a.x), text(a.y)))
	default:
		u.x, u.y = x, y
	}
	if avatar, ok := a.avatar.(int64); ok && avatar >= 0 && avatar <= int64(r.mostAvatar) {
		u.avatar = uint8(avatar)
	} else {
		u.why = append(u.why, fmt.Sprintf("there is no avatar %s here: it gets 0", text(a.avatar)))
	}
	if name := text(a.name); a.instance != nil && name != u.name {
		u.why = append(u.why, fmt.Sprintf("its actor is called %q there; here its user's name is shown", name))
	}
	if a.more > 0 {
		u.why = append(u.why, fmt.Sprintf("it has %d more actors, which are left behind", a.more))
	}
}

// mostCoordinate is farther than any world reaches.
const mostCoordinate = 1e9

func coordinate(v any) (float64, bool) {
	var f float64
	switch v := v.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	default:
		return 0, false
	}
	return f, math.Abs(f) <= mostCoordinate // false for NaN
}

// orphans reports the actors that no user has taken.
func orphans(table string, actors map[int64]oldActor) []DjangoRow {
	rows := []DjangoRow{}
	for _, a := range actors {
		why := []string{"this actor belongs to no user"}
		if a.more > 0 {
			why = append(why, fmt.Sprintf("and so do %d more of the same", a.more))
		}
		rows = append(rows, DjangoRow{Table: table, ID: a.id, Name: text(a.name), Verdict: DjangoOrphan, Why: why})
	}
	return rows
}

// text is a value of SQLite as one reads it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}
