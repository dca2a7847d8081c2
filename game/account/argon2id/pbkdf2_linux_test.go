//go:build linux && cgo

package argon2id

import "testing"

// TestPBKDF2WithoutInstructions is for processors that have none for SHA-256.
func TestPBKDF2WithoutInstructions(t *testing.T) {
	if withSHA == 0 {
		t.Skip("SKIPPED: this processor has none, so the other tests have tested it")
	}
	defer func() { withSHA = 1 }()
	withSHA = 0
	TestPBKDF2Vectors(t)
	TestPBKDF2MatchesTheReference(t)
}
