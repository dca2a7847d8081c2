// Package account keeps the accounts of a world in one SQLite file: it
// registers names, checks passwords, and saves where players stand.
//
// Nothing here ever waits in the caller's place. Register and Login put a
// request on a bounded queue and answer through a function; Save writes into a
// map. Behind them work
//
//   - the workers, a few goroutines that read accounts and hash passwords. The
//     hashing itself runs on threads below everybody else's priority (package
//     argon2id);
//   - the writer, the one goroutine that owns the write connection. It commits
//     the registrations that wait in one transaction, and the positions that
//     wait in another.
//
// The package knows neither connections nor packets. Every exported method may
// be called from any goroutine.
package account

import "errors"

// Account is one stored identity, as a login gets it.
type Account struct {
	ID     int64  // never used again for another account
	Name   string // as its owner writes it, in NFC
	Avatar uint8
	X, Y   float64 // the newest saved position
	Role   string  // empty for a player
}

// Refusal is an answer that the player is told: Reason is a short English
// sentence. Every other error of this package is internal, and not for players.
type Refusal struct{ Reason string }

// Error is the reason.
func (r *Refusal) Error() string { return r.Reason }

// The refusals. They are compared by identity.
var (
	ErrEmpty          = &Refusal{"Username or password must not be empty"}
	ErrTaken          = &Refusal{"This username is already taken"}
	ErrWrong          = &Refusal{"Username or password incorrect"}
	ErrLoggedIn       = &Refusal{"You are already logged in"}
	ErrNameLength     = &Refusal{"Username must not be longer than 32 characters"}
	ErrNameCharacters = &Refusal{"Username may only contain letters, digits, spaces and _ - ."}
	ErrNameSpaces     = &Refusal{"Username may only have single spaces, and between other characters"}
	ErrPasswordLength = &Refusal{"Password must not be longer than 256 bytes"}
	ErrBusy           = &Refusal{"The server is busy, try again in a moment"}
	ErrClosed         = &Refusal{"The server is shutting down"}
)

// ErrGone answers a request whose alive function said that nobody waits for it
// any more.
var ErrGone = errors.New("account: the client has gone")
