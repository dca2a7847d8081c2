package account

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrNotTutorial says that a database is none of a tutorial's server.
var ErrNotTutorial = errors.New("not a database of the tutorial's server")

// djangoShape is which table of the old database is what. The tutorial's app is
// called server, and so its tables server_user, server_actor and so on, but
// whoever followed it may have named things differently: tables are known by
// their columns, and by what these refer to.
type djangoShape struct {
	users      userTable
	otherUsers []userTable // tables that look like users too
	actors     string      // empty before the third lesson
	instances  string
	entities   string
	avatars    bool // actors have one: since the fifth lesson
	migrations bool
	rest       []string // tables of the game that have no place here
}

type userTable struct {
	name    string
	columns map[string]bool
}

// String names the stage of the tutorial that such a database comes from.
func (s djangoShape) String() string {
	switch {
	case s.actors == "":
		return fmt.Sprintf("users of the second lesson (%s)", s.users.name)
	case s.users.name == "auth_user":
		return "users of Django (auth_user) with actors, as in the final release"
	case s.avatars:
		return fmt.Sprintf("users (%s) with actors and avatars, as after the fifth lesson", s.users.name)
	}
	return fmt.Sprintf("users (%s) with actors, as after the third lesson", s.users.name)
}

func (r djangoReader) findTables() (djangoShape, error) {
	tables, err := r.columns()
	if err != nil {
		return djangoShape{}, err
	}
	names := slices.Sorted(maps.Keys(tables))
	having := func(columns ...string) (found []string) {
		for _, name := range names {
			if !slices.ContainsFunc(columns, func(c string) bool { return !tables[name][c] }) {
				found = append(found, name)
			}
		}
		return found
	}

	shape := djangoShape{migrations: tables["django_migrations"]["applied"]}
	users := having("id", "username", "password")
	played := "" // the users that actors refer to
	switch actors := having("id", "user_id", "instanced_entity_id"); len(actors) {
	case 0:
	case 1:
		shape.actors = actors[0]
		shape.avatars = tables[shape.actors]["avatar_id"]
		for _, link := range []struct {
			table  *string
			column string
			to     *string
		}{
			{&shape.actors, "user_id", &played},
			{&shape.actors, "instanced_entity_id", &shape.instances},
			{&shape.instances, "entity_id", &shape.entities},
		} {
			if *link.to, err = r.target(*link.table, link.column); err != nil {
				return djangoShape{}, err
			}
		}
	default:
		return djangoShape{}, fmt.Errorf("%w: which of the tables %s has the actors?", ErrNotTutorial, strings.Join(actors, ", "))
	}

	if played == "" && len(users) > 0 {
		// Django's own table is there in many a project that does not use it.
		played = users[max(0, slices.IndexFunc(users, func(name string) bool { return !strings.HasPrefix(name, "auth_") }))]
	}
	if !slices.Contains(users, played) {
		return djangoShape{}, fmt.Errorf("%w: it has no table of users with names and passwords; its tables are: %s", ErrNotTutorial, strings.Join(names, ", "))
	}
	for _, name := range users {
		if table := (userTable{name, tables[name]}); name == played {
			shape.users = table
		} else {
			shape.otherUsers = append(shape.otherUsers, table)
		}
	}
	known := append(users, shape.actors, shape.instances, shape.entities)
	for _, name := range names {
		if !slices.Contains(known, name) && !bookkeeping(name) {
			shape.rest = append(shape.rest, name)
		}
	}
	return shape, nil
}

// columns gives the columns of every table.
func (r djangoReader) columns() (map[string]map[string]bool, error) {
	rows, err := r.tx.QueryContext(r.ctx, "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := map[string]map[string]bool{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		if tables[table] == nil {
			tables[table] = map[string]bool{}
		}
		tables[table][column] = true
	}
	return tables, rows.Err()
}

// target is the table that a column refers to.
func (r djangoReader) target(table, column string) (to string, err error) {
	err = r.tx.QueryRowContext(r.ctx, `SELECT "table" FROM pragma_foreign_key_list(?) WHERE "from" = ?`, table, column).Scan(&to)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("%w: %s.%s refers to no table", ErrNotTutorial, table, column)
	}
	return to, err
}

// bookkeeping tells the tables that Django and SQLite keep for themselves.
func bookkeeping(table string) bool {
	switch table {
	case "auth_group", "auth_group_permissions", "auth_permission", "auth_user_groups", "auth_user_user_permissions":
		return true
	}
	return strings.HasPrefix(table, "django_") || strings.HasPrefix(table, "sqlite_")
}

// quoted is a name as SQL wants it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
