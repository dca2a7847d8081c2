package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// RoleModerator is the role of accounts whose chat commands may kick, mute and ban.
const RoleModerator = "moderator"

// ErrNoAccount says that nobody has the name.
var ErrNoAccount = &Refusal{"There is no account of that name"}

// Ban keeps an account or a network of addresses out.
type Ban struct {
	ID      int64
	Account int64        // 0 when a network is banned
	Name    string       // of the account
	Network netip.Prefix // masked; invalid when an account is banned
	Reason  string
	By      string // who banned, for people
	At      time.Time
	Until   time.Time // zero: for good
	Forget  time.Time // not kept: what was over by then PutBan forgets; zero: At
}

// Over tells whether the ban has ended at a time.
func (b *Ban) Over(now time.Time) bool { return !b.Until.IsZero() && !now.Before(b.Until) }

// Mute keeps an account from talking.
type Mute struct {
	Account int64
	Name    string
	Reason  string
	By      string
	At      time.Time
	Until   time.Time
	Forget  time.Time // not kept: what was over by then PutMute forgets; zero: At
}

// Over tells whether the mute has ended at a time.
func (m *Mute) Over(now time.Time) bool { return !now.Before(m.Until) }

// Named returns the account that people would take for the one of this name,
// without its position, or ErrNoAccount.
func (s *Store) Named(ctx context.Context, name string) (Account, error) {
	if len(name) > maxNameBytes {
		return Account{}, ErrNoAccount
	}
	a := Account{}
	err := s.db.read.QueryRowContext(ctx, "SELECT id, name, avatar, role FROM accounts WHERE name_key = ?", nameKey(name)).
		Scan(&a.ID, &a.Name, &a.Avatar, &a.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNoAccount
	}
	if err != nil {
		return Account{}, fmt.Errorf("account: looking for a name: %w", err)
	}
	return a, nil
}

// Bans returns every ban that is kept, the newest first; some may be over.
func (s *Store) Bans(ctx context.Context) ([]Ban, error) {
	return all(ctx, s.db.read, "bans", `SELECT b.id, b.account, a.name, b.network, b.reason, b.by, b.at, b.until
		FROM bans b LEFT JOIN accounts a ON a.id = b.account ORDER BY b.id DESC`,
		func(row *sql.Rows) (b Ban, err error) {
			var account, until sql.NullInt64
			var name, network sql.NullString
			var at int64
			if err := row.Scan(&b.ID, &account, &name, &network, &b.Reason, &b.By, &at, &until); err != nil {
				return b, err
			}
			b.Account, b.Name, b.At = account.Int64, name.String, time.Unix(at, 0)
			if until.Valid {
				b.Until = time.Unix(until.Int64, 0)
			}
			if network.Valid {
				b.Network, err = netip.ParsePrefix(network.String)
			}
			return b, err
		})
}

// Mutes returns every mute that is kept, the newest first; some may be over.
func (s *Store) Mutes(ctx context.Context) ([]Mute, error) {
	return all(ctx, s.db.read, "mutes", `SELECT m.account, a.name, m.reason, m.by, m.at, m.until
		FROM mutes m JOIN accounts a ON a.id = m.account ORDER BY m.at DESC, m.account`,
		func(row *sql.Rows) (m Mute, err error) {
			var at, until int64
			err = row.Scan(&m.Account, &m.Name, &m.Reason, &m.By, &at, &until)
			m.At, m.Until = time.Unix(at, 0), time.Unix(until, 0)
			return m, err
		})
}

// Roles returns the accounts that have a role, by name.
func (s *Store) Roles(ctx context.Context) ([]Account, error) {
	return all(ctx, s.db.read, "roles", "SELECT id, name, avatar, role FROM accounts WHERE role <> '' ORDER BY name_key",
		func(row *sql.Rows) (a Account, err error) {
			err = row.Scan(&a.ID, &a.Name, &a.Avatar, &a.Role)
			return a, err
		})
}

// all collects the rows of a query.
func all[T any](ctx context.Context, db *sql.DB, what, query string, scan func(*sql.Rows) (T, error), args ...any) (list []T, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("account: reading %s: %w", what, err)
		}
	}()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// PutBan keeps a ban, in place of an older one of the same account or network,
// forgets those that are over, and returns it with its ID. It and the entry are
// on disk when it returns nil.
func (s *Store) PutBan(ctx context.Context, b Ban, e Entry) (Ban, error) {
	var account, network, until any // nil is NULL
	if b.Account != 0 {
		account = b.Account
	} else {
		network = b.Network.String()
	}
	if !b.Until.IsZero() {
		until = b.Until.Unix()
	}
	err := s.moderate(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM bans WHERE account = ? OR network = ? OR until <= ?", account, network, forgetAt(b.Forget, b.At)); err != nil {
			return err
		}
		result, err := tx.Exec("INSERT INTO bans (account, network, reason, by, at, until) VALUES (?, ?, ?, ?, ?, ?)",
			account, network, b.Reason, b.By, b.At.Unix(), until)
		if err != nil {
			return err
		}
		b.ID, err = result.LastInsertId()
		return err
	})
	return b, err
}

func forgetAt(forget, at time.Time) int64 {
	if forget.IsZero() {
		return at.Unix()
	}
	return forget.Unix()
}

// LiftBan forgets a ban. One that is not there is no error.
func (s *Store) LiftBan(ctx context.Context, id int64, e Entry) error {
	return s.moderate(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM bans WHERE id = ?", id)
		return err
	})
}

// PutMute keeps a mute, in place of an older one of the same account, and forgets
// those that are over.
func (s *Store) PutMute(ctx context.Context, m Mute, e Entry) error {
	return s.moderate(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM mutes WHERE account = ? OR until <= ?", m.Account, forgetAt(m.Forget, m.At)); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO mutes (account, reason, by, at, until) VALUES (?, ?, ?, ?, ?)",
			m.Account, m.Reason, m.By, m.At.Unix(), m.Until.Unix())
		return err
	})
}

// LiftMute forgets the mute of an account. One that is not there is no error.
func (s *Store) LiftMute(ctx context.Context, account int64, e Entry) error {
	return s.moderate(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM mutes WHERE account = ?", account)
		return err
	})
}

// SetRole gives an account a role; the empty one takes it away.
func (s *Store) SetRole(ctx context.Context, account int64, role string, e Entry) error {
	return s.moderate(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE accounts SET role = ? WHERE id = ?", role, account)
		return err
	})
}
