package account

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// fixtureUser is a user for scripts/django_fixture.py, which says what each
// field does.
type fixtureUser map[string]any

// withDjango is a Python that has Django, empty where there is none. Debian's
// package is for Debian's Python, which need not be the first in the path.
var withDjango = sync.OnceValue(func() string {
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import django; assert django.VERSION >= (3, 2)").Run() == nil {
			return python
		}
	}
	return ""
})

// oldDatabase has real Django make the database of a tutorial's server.
func oldDatabase(t testing.TB, stage string, users ...fixtureUser) string {
	t.Helper()
	python := withDjango()
	if python == "" {
		t.Skip("SKIPPED: no Python with Django here (Debian: apt-get install python3-django); moving in from the tutorial is not tested")
	}
	input, err := json.Marshal(users)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "an old 50% world?.sqlite3")
	command := exec.CommandContext(t.Context(), python, "../../scripts/django_fixture.py", stage, path)
	command.Stdin = bytes.NewReader(input)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("Django: %v\n%s", err, out)
	}
	return path
}

// job is an import with cheap hashes.
func job(from, to string) DjangoImport {
	return DjangoImport{From: from, To: cheap(to), MostAvatar: 5}
}

func mustImport(t testing.TB, j DjangoImport) DjangoReport {
	t.Helper()
	report, err := ImportDjango(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if report.Users != report.Imported+report.Skipped+report.Present {
		t.Errorf("%d users are not %d imported, %d skipped and %d present", report.Users, report.Imported, report.Skipped, report.Present)
	}
	return report
}

// rowOf is the only row about somebody.
func rowOf(t testing.TB, report DjangoReport, name string) DjangoRow {
	t.Helper()
	var found []DjangoRow
	for _, row := range report.Rows {
		if row.Name == name {
			found = append(found, row)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rows about %q, want one: %+v", len(found), name, report.Rows)
	}
	return found[0]
}

// storedPassword is what the database has for a name.
func storedPassword(t testing.TB, path, name string) (password string) {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	if err := db.QueryRow("SELECT password FROM accounts WHERE name_key = ?", nameKey(name)).Scan(&password); err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	return password
}

// accountRows is all that the database says of its accounts and imports.
func accountRows(t testing.TB, path string) (rows string) {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	err := db.QueryRow(`SELECT (SELECT coalesce(group_concat(concat_ws('|', id, name, name_key, password, avatar, role, x, y, created_at), char(10)), '') FROM accounts)
		|| char(10) || (SELECT coalesce(group_concat(concat_ws('|', source, old_id, account, imported_at), char(10)), '') FROM imports)`).Scan(&rows)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
