package account

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// lookup answers from the new database. The zero lookup is that of an empty one.
type lookup struct {
	// owner gives the account that has a name, 0 when none has.
	owner func(key string) (int64, error)
	// known tells whether an earlier import has brought an old user.
	known func(oldID int64) (bool, error)
}

// preparer is a database or a transaction.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// newLookup prepares the questions. The statements end with their database or
// transaction.
func newLookup(ctx context.Context, db preparer, source string) (lookup, error) {
	ask := func(query string) (func(args ...any) (int64, error), error) {
		statement, err := db.PrepareContext(ctx, query)
		return func(args ...any) (id int64, err error) {
			if err = statement.QueryRowContext(ctx, args...).Scan(&id); errors.Is(err, sql.ErrNoRows) {
				return 0, nil
			}
			return id, err
		}, err
	}
	// A dry run may meet a database that no server of this version has opened.
	var tables int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name IN ('accounts', 'imports')").Scan(&tables)
	if err != nil || tables == 0 {
		return lookup{}, err
	}
	owner, err := ask("SELECT id FROM accounts WHERE name_key = ?")
	if err != nil {
		return lookup{}, err
	}
	here := lookup{owner: func(key string) (int64, error) { return owner(key) }}
	if tables == 2 {
		known, err := ask("SELECT 1 FROM imports WHERE source = ? AND old_id = ?")
		if err != nil {
			return lookup{}, err
		}
		here.known = func(oldID int64) (bool, error) {
			n, err := known(source, oldID)
			return n > 0, err
		}
	}
	return here, nil
}

// newcomer is an old user with the name that it gets.
type newcomer struct {
	oldUser
	display, key string
}

// plan decides who comes over under which name, and writes the report. Whoever
// can keep the name does: of several to whom a name here means the same one, who
// registered first. The others get one as near to it as is free.
func plan(old oldWorld, here lookup) ([]newcomer, DjangoReport, error) {
	report := DjangoReport{Found: old.found, Users: len(old.users), Rows: slices.Clone(old.rows), Left: old.left}
	p := planner{here: here, report: &report, taken: map[string]string{}}

	var nameless []oldUser
	for _, u := range old.users {
		if u.skip != "" {
			p.skip(u, u.skip)
			continue
		}
		if here.known != nil {
			switch known, err := here.known(u.id); {
			case err != nil:
				return nil, report, err
			case known:
				report.Present++
				continue
			}
		}
		// The rules' other half is about passwords, and these are old ones.
		display, err := checkRegistration(u.name, "password")
		if err != nil {
			u.why = append(u.why, fmt.Sprintf("its name is not one for here (%v)", err))
			nameless = append(nameless, u)
			continue
		}
		holder, err := p.holder(display)
		switch {
		case err != nil:
			return nil, report, err
		case holder != "":
			u.why = append(u.why, "its name is taken by "+holder)
			nameless = append(nameless, u)
		default:
			p.admit(u, display)
		}
	}
	for _, u := range nameless {
		display, err := p.freeName(u)
		if err != nil {
			return nil, report, err
		}
		if display == "" {
			p.skip(u, append(u.why, "and no name near it is free")...)
			continue
		}
		p.admit(u, display)
	}
	slices.SortFunc(report.Rows, func(a, b DjangoRow) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), cmp.Compare(a.ID, b.ID))
	})
	return p.newcomers, report, nil
}

type planner struct {
	here      lookup
	report    *DjangoReport
	newcomers []newcomer
	taken     map[string]string // keys of the newcomers' names, and whose they are
}

// holder tells who has a name already, in words; empty when nobody has.
func (p *planner) holder(display string) (string, error) {
	key := nameKey(display)
	if name, ok := p.taken[key]; ok {
		return name, nil
	}
	if p.here.owner == nil {
		return "", nil
	}
	id, err := p.here.owner(key)
	if err != nil || id == 0 {
		return "", err
	}
	return fmt.Sprintf("an account that is here already (%d)", id), nil
}

func (p *planner) skip(u oldUser, why ...string) {
	p.report.Skipped++
	p.report.Rows = append(p.report.Rows, DjangoRow{Table: u.table, ID: u.id, Name: u.name, Verdict: DjangoSkipped, Why: why})
}

func (p *planner) admit(u oldUser, display string) {
	key := nameKey(display)
	p.taken[key] = fmt.Sprintf("%q (%d in %s)", u.name, u.id, u.table)
	p.newcomers = append(p.newcomers, newcomer{u, display, key})
	p.report.Imported++
	if !u.plain {
		p.report.Django++
	}
	if len(u.why) > 0 {
		p.report.Adjusted++
		p.report.Rows = append(p.report.Rows, DjangoRow{Table: u.table, ID: u.id, Name: u.name, As: display, Verdict: DjangoAdjusted, Why: u.why})
	}
}

// freeName is a name by the rules here that nobody has, as near as can be to the
// old one; empty when there is none.
func (p *planner) freeName(u oldUser) (string, error) {
	const tries = 1000
	base := mendName(u.name)
	if base == "" {
		base = fmt.Sprint("player ", u.id)
	}
	for n := 1; n <= tries; n++ {
		name := base
		if n > 1 {
			suffix := fmt.Sprint("_", n)
			name = cutName(base, maxNameCharacters-len(suffix)) + suffix
		}
		display, err := checkRegistration(name, "password")
		if err != nil {
			return "", fmt.Errorf("%q, mended to %q, is still no name: %w", u.name, name, err)
		}
		if holder, err := p.holder(display); err != nil || holder == "" {
			return display, err
		}
	}
	return "", nil
}

// mendName makes a name follow the rules: what may not be in it becomes "_".
// Nothing is left of a name of spaces.
func mendName(name string) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, "_"))
	name = strings.Map(func(r rune) rune {
		if nameCharacter(r) {
			return r
		}
		return '_'
	}, name)
	return cutName(strings.Join(strings.Fields(name), " "), maxNameCharacters)
}

// cutName leaves so many characters at most, and no space at the end.
func cutName(name string, most int) string {
	for utf8.RuneCountInString(name) > most {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimRight(name, " ")
}
