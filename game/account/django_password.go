package account

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Accounts that came from a Django server keep the hash that they had there,
// "pbkdf2_sha256$260000$salt$key", until their owner logs in: then the password
// is known, and the hash is replaced by one of ours, like any of another cost.
//
// # Equal time
//
// A login that fails must take the same time whether the name is unknown, has a
// hash of ours, or has one of Django's, and whatever its number of iterations.
// So while there are hashes of Django's, a login that fails is also charged what
// it has not paid yet: everyone pays one argon2id and as many iterations as the
// costliest of Django's hashes asks for (see hasher.even). A login that succeeds
// pays only for its own hash: it tells nothing that its answer does not. The same
// goes for a hash of ours that was made when the settings asked for less; one made
// when they asked for more stays dearer until its owner logs in.
//
// The store looks for such hashes when it opens, and learns of one imported
// later when somebody first tries to log in with its name. It goes on charging
// until it is opened without any.

const (
	djangoPrefix = "pbkdf2_sha256$"

	// mostIterations bounds what is read from the database, as a damaged hash
	// must not keep a worker for an hour. Django 6.0 asks for 1,200,000.
	mostIterations = 10_000_000

	mostDjangoSaltBytes = 256
)

// parseDjangoHash reads the form in which Django keeps a password; iterations
// are set in what it returns. Its error wraps errHash. What it reads String
// writes in the same bytes.
func parseDjangoHash(s string) (hash, error) {
	fields := strings.Split(s, "$")
	if len(fields) != 4 || fields[0]+"$" != djangoPrefix {
		return hash{}, fmt.Errorf("%w: not PBKDF2 in Django's form", errHash)
	}
	iterations, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil || strconv.FormatUint(iterations, 10) != fields[1] {
		return hash{}, fmt.Errorf("%w: its iterations are no number", errHash)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(fields[3])
	if err != nil || strings.ContainsAny(fields[3], "\r\n") { // which the decoder skips
		return hash{}, errHash
	}
	h := hash{iterations: uint32(iterations), salt: []byte(fields[2]), key: key}
	if err := h.check(); err != nil {
		return hash{}, fmt.Errorf("%w: %w", errHash, err)
	}
	if len(h.salt) == 0 || len(h.salt) > mostDjangoSaltBytes || len(key) != sha256.Size {
		return hash{}, fmt.Errorf("%w: salt of %d and key of %d bytes", errHash, len(h.salt), len(key))
	}
	return h, nil
}

func (h hash) djangoForm() string {
	return djangoPrefix + strconv.FormatUint(uint64(h.iterations), 10) + "$" + string(h.salt) + "$" + base64.StdEncoding.EncodeToString(h.key)
}

// check refuses a cost that nobody should be made to pay.
func (h hash) check() error {
	switch {
	case h.iterations == 0:
		return h.cost.check()
	case h.iterations > mostIterations:
		return fmt.Errorf("%d iterations, must be 1 to %d", h.iterations, mostIterations)
	}
	return nil
}

// even computes what a login that fails has not paid yet, after it was measured
// against paid: an argon2id of the configured cost, and PBKDF2 up to so many
// iterations. See Equal time above.
func (h *hasher) even(paid hash, password string, iterations uint32) error {
	if paid.iterations == 0 {
		// A hash from when passwords cost less is cheaper than nobody's.
		rest := cost{passes: h.cost.passes, lanes: 1}
		if owed := h.cost.work() - paid.cost.work(); owed > 0 {
			rest.memoryKiB = uint32(owed / int64(rest.passes))
		}
		if rest.memoryKiB >= minMemoryKiB {
			if _, err := h.key(nobody(rest), password, keyBytes); err != nil {
				return err
			}
		}
	}
	if iterations == 0 {
		return nil
	}
	if paid.iterations > 0 {
		if _, err := h.key(nobody(h.cost), password, keyBytes); err != nil {
			return err
		}
	}
	if owed := int64(iterations) - int64(paid.iterations); owed > 0 {
		_, err := h.key(hash{iterations: uint32(owed), salt: paid.salt}, password, sha256.Size)
		return err
	}
	return nil
}

// learnIterations raises what failed logins are charged to what h asks for.
func (s *Store) learnIterations(h hash) {
	for {
		known := s.iterations.Load()
		if h.iterations <= known || s.iterations.CompareAndSwap(known, h.iterations) {
			return
		}
	}
}

// mostDjangoIterations is what the costliest of Django's hashes in the database
// asks for, 0 when there is none. It has an index of its own. A damaged one that
// asks for more than mostIterations, the parameter, does not count.
const mostDjangoIterations = `SELECT coalesce(max(CAST(substr(password, 15) AS INTEGER)), 0) FROM accounts
	WHERE password GLOB 'pbkdf2_sha256$*' AND CAST(substr(password, 15) AS INTEGER) <= ?`
