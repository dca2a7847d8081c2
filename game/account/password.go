package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"tavern/game/account/argon2id"
)

const (
	saltBytes = 16
	keyBytes  = 32
)

// hash is a stored password: the key that argon2id gave for it, or, when it has
// iterations, PBKDF2 (see django_password.go). Then it has no cost.
type hash struct {
	cost
	iterations uint32
	salt, key  []byte
}

// String is the PHC form, "$argon2id$v=19$m=19456,t=2,p=1$salt$key", or Django's.
func (h hash) String() string {
	if h.iterations > 0 {
		return h.djangoForm()
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2id.Version, h.memoryKiB, h.passes, h.lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// errHash says that a stored hash cannot be read. It quotes nothing of it.
var errHash = errors.New("stored password hash is damaged")

// parseHash reads the PHC form, or Django's. Its error wraps errHash.
func parseHash(s string) (h hash, err error) {
	if strings.HasPrefix(s, djangoPrefix) {
		return parseDjangoHash(s)
	}
	fields := strings.Split(s, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v="+strconv.Itoa(argon2id.Version) {
		return h, fmt.Errorf("%w: not argon2id in PHC form", errHash)
	}
	prices := strings.Split(fields[3], ",")
	if len(prices) != 3 {
		return h, fmt.Errorf("%w: its cost has %d parts", errHash, len(prices))
	}
	memory, errM := parsePrice(prices[0], "m=", math.MaxUint32)
	passes, errT := parsePrice(prices[1], "t=", math.MaxUint32)
	lanes, errP := parsePrice(prices[2], "p=", math.MaxUint8)
	salt, errS := base64.RawStdEncoding.Strict().DecodeString(fields[4])
	key, errK := base64.RawStdEncoding.Strict().DecodeString(fields[5])
	if err := errors.Join(errM, errT, errP, errS, errK); err != nil {
		return h, errHash
	}
	h = hash{cost: cost{uint32(memory), uint32(passes), uint8(lanes)}, salt: salt, key: key}
	if err := h.check(); err != nil {
		return hash{}, fmt.Errorf("%w: %w", errHash, err)
	}
	if len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return hash{}, fmt.Errorf("%w: salt of %d and key of %d bytes", errHash, len(salt), len(key))
	}
	return h, nil
}

func parsePrice(s, prefix string, most uint64) (uint64, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	v, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || v > most {
		return 0, errHash
	}
	return v, nil
}

// hasher makes and checks password hashes. One goroutine may use it.
type hasher struct {
	thread  *argon2id.Thread
	cost    cost // of new hashes
	observe func(time.Duration)
}

// hash makes a hash of the configured cost with a salt of its own.
func (h *hasher) hash(password string) (hash, error) {
	made := hash{cost: h.cost, salt: make([]byte, saltBytes)}
	rand.Read(made.salt) // never fails
	var err error
	made.key, err = h.key(made, password, keyBytes)
	return made, err
}

// matches tells whether the hash is of this password. It takes the same time
// whichever the answer.
func (h *hasher) matches(stored hash, password string) (bool, error) {
	key, err := h.key(stored, password, len(stored.key))
	return err == nil && subtle.ConstantTimeCompare(key, stored.key) == 1, err
}

func (h *hasher) key(of hash, password string, length int) ([]byte, error) {
	began := time.Now()
	defer func() { h.observe(time.Since(began)) }()
	if of.iterations > 0 {
		return h.thread.PBKDF2([]byte(password), of.salt, of.iterations)
	}
	if of.lanes != 1 {
		// We never made such a hash: it was imported, and its next login
		// replaces it.
		return argon2.IDKey([]byte(password), of.salt, of.passes, of.memoryKiB, of.lanes, uint32(length)), nil
	}
	return h.thread.Key([]byte(password), of.salt, of.passes, of.memoryKiB, uint32(length))
}

// nobody is the hash that a login of an unknown name is measured against: of
// the configured cost, and of no password.
func nobody(c cost) hash {
	h := hash{cost: c, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	rand.Read(h.salt)
	rand.Read(h.key)
	return h
}
