package argon2id

import "crypto/sha256"

// PBKDF2Bytes is the length of the keys that Thread.PBKDF2 gives, a block of
// PBKDF2 (RFC 8018, 5.2) with HMAC-SHA-256. Accounts that another program has
// made come with such keys. They take as much time as argon2id, if no memory,
// so they are computed where they disturb the game as little.
const PBKDF2Bytes = sha256.Size
