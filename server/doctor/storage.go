package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tavern/game/account"
)

const (
	littleSpace = 64 << 20  // positions cannot be saved soon
	goodSpace   = 512 << 20 // a season, and room for the log
	bigLog      = 256 << 20
	fewInodes   = 100
)

// disk is what is known of a file system.
type disk struct {
	free, inodes int64 // bytes and files that we may still write; inodes is -1 where there is no such limit
	kind         string
	remote       bool // over a network
	volatile     bool // gone with the machine's or the container's end
	readOnly     bool
}

func (p *probe) space() Finding {
	const check = "disk"
	folder := filepath.Dir(p.DB)
	d, err := p.disk(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{Check: check, Level: Fail, Found: "there is no folder " + folder, Means: "the server does not start", Do: "mkdir -p " + folder}
	case err != nil:
		return unseen(check, err)
	}
	var stored int64
	for _, suffix := range []string{"", "-wal"} {
		if about, err := os.Stat(p.DB + suffix); err == nil {
			stored += about.Size()
		}
	}
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("%s free in %s (%s), the database has %s", size(d.free), folder, d.kind, size(stored))}
	switch {
	case d.readOnly:
		f.Level, f.Means, f.Do = Fail, "nothing can be saved there, so the server does not start", "mount -o remount,rw it, or choose another place with -db"
	case d.remote:
		f.Level, f.Means, f.Do = Fail, "over a network SQLite's log does not work: accounts may be lost", "choose a place on a disk of this machine with -db"
	case d.inodes >= 0 && d.inodes < fewInodes:
		f.Level, f.Means, f.Do = Fail, fmt.Sprintf("no more than %d files can be made there", d.inodes), "delete files you do not need there (df -i shows the numbers)"
	case d.free < littleSpace:
		f.Level, f.Means, f.Do = Fail, "the disk is as good as full: positions and new accounts are not saved", "make room (du -xh / | sort -h | tail shows what is big)"
	case d.volatile:
		f.Level, f.Means, f.Do = Warn, "what is there is gone after a reboot, or with the container", "choose a place on a disk with -db, or give the container a volume"
	case d.free < goodSpace || d.free < 2*stored:
		f.Level, f.Means, f.Do = Warn, "the disk may be full before long, and there is hardly room for a backup beside the database", "make room (du -xh / | sort -h | tail shows what is big)"
	}
	return f
}

func (p *probe) database(ctx context.Context) []Finding {
	const check = "database"
	about, err := account.Verify(ctx, p.DB)
	bad := func(means, do string) []Finding {
		return []Finding{{Check: check, Level: Fail, Found: err.Error(), Means: means, Do: do}}
	}
	restore := fmt.Sprintf("tavern restore BACKUP -db %s (what is there now is kept)", p.DB)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{{Check: check, Level: OK, Found: p.DB + " is not there yet: the first start makes it"}}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, account.ErrReadOnly):
		return bad("the server cannot use it, so it does not start", "run this as the server's user; if the file is another's: chown SERVER-USER "+p.DB)
	case errors.Is(err, account.ErrNewer):
		return bad("this server is too old for it and does not start", "install the newer server again")
	case errors.Is(err, account.ErrForeign):
		return bad("the server does not touch it, and does not start", "name another file with -db; a tutorial's database comes in with: tavern import-django "+p.DB)
	case errors.Is(err, account.ErrNotDatabase), errors.Is(err, account.ErrCorrupt):
		return bad("accounts are damaged or lost", restore)
	case err != nil:
		return bad("the server does not start, or accounts are lost", restore)
	}
	findings := []Finding{{Check: check, Level: OK, Found: fmt.Sprintf("%s is sound: %d accounts, %s", p.DB, about.Accounts, size(about.Bytes))}}
	if about.Django > 0 {
		findings[0].Found += fmt.Sprintf("; %d have not logged in since they came from Django", about.Django)
	}
	warn := func(found, means, do string) {
		findings = append(findings, Finding{Check: check, Level: Warn, Found: found, Means: means, Do: do})
	}
	if file, err := os.Stat(p.DB); err == nil && file.Mode().Perm()&0o077 != 0 {
		warn(fmt.Sprintf("its mode is %v", file.Mode().Perm()), "other users of this machine may read the password hashes", "chmod 600 "+p.DB)
	}
	if log, err := os.Stat(p.DB + "-wal"); err == nil && log.Size() > bigLog {
		warn("its log has grown to "+size(log.Size()), "something has been reading the database for very long, or writing never rests", "close other programs that have it open; a restart of the server folds the log")
	}
	if about.Newest.After(p.now().Add(time.Hour)) {
		warn("the newest account is from "+about.Newest.UTC().Format(time.RFC3339), "the clock is wrong, or was: bans and mutes end at the wrong time", "timedatectl (it shows the clock and whether it is set by a time server)")
	}
	return findings
}

func (p *probe) sqlite() Finding { return sqliteFinding(account.SQLite()) }

// sqliteFinding judges a version, which need not be the bundled one: the driver
// can be built to use the system's.
func sqliteFinding(version string, options []string, err error) Finding {
	const check = "SQLite"
	if err != nil {
		return Finding{Check: check, Level: Fail, Found: err.Error(), Means: "the server does not start", Do: "build it with cgo: CGO_ENABLED=1 go build ./server (it needs a C compiler)"}
	}
	f := Finding{Check: check, Level: OK, Found: version + ", by cgo"}
	var major, minor int
	if n, err := fmt.Sscanf(version, "%d.%d", &major, &minor); n != 2 || err != nil || major != 3 || minor < 38 {
		f.Level, f.Means, f.Do = Fail, "it is too old for the accounts' tables", "build the server without the tag libsqlite3, which takes the bundled one"
		return f
	}
	for _, option := range options {
		if option == "THREADSAFE=0" {
			f.Level, f.Means, f.Do = Fail, "it is built for one thread: it damages the database", "build the server without the tag libsqlite3, which takes the bundled one"
		}
	}
	return f
}
