package admin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"tavern/game/account"
)

// tokenSetting is where the database has the hash of the token. The token is
// random and long, so one round of SHA-256 keeps it.
const tokenSetting = "admin_token_sha256"

// EnsureToken makes a token if the database has the hash of none, and returns it:
// it is not kept anywhere, so it must be shown now. It returns an empty string
// when there is one.
func EnsureToken(ctx context.Context, store Store) (string, error) {
	hash, err := store.Setting(ctx, tokenSetting)
	if err != nil || hash != "" {
		return "", err
	}
	return NewToken(ctx, store, "server")
}

// NewToken makes a token in place of the one before, whose sessions end. via is
// who asked, for the audit log.
func NewToken(ctx context.Context, store Store, via string) (string, error) {
	token := "tavern_" + secret()
	err := store.SetSetting(ctx, tokenSetting, hashed(token), account.Entry{
		At: time.Now(), By: "operator", Via: via, Action: "token", Details: "a new token was made",
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// secret is 256 random bits as text.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// secret returns the hash of the token that opens this server.
func (s *Server) secret(ctx context.Context) (string, error) {
	if s.cfg.Token != "" {
		return hashed(s.cfg.Token), nil
	}
	return s.cfg.Store.Setting(ctx, tokenSetting)
}
