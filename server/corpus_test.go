package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tavern/codec"
)

// refusal is why the codec refuses a packet, nil if it does not.
func refusal(packet string) *codec.Error {
	_, err := codec.Decode([]byte(packet))
	var why *codec.Error
	errors.As(err, &why)
	return why
}

// goldenPackets are all packets from clients in the codec's golden files.
func goldenPackets(t *testing.T) (packets []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "codec", "testdata", "golden", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			Cases []struct {
				Direction string `json:"direction"`
				Raw       string `json:"raw"`
				RawHex    string `json:"raw_hex"`
			} `json:"cases"`
		}
		if err := json.Unmarshal(data, &golden); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range golden.Cases {
			raw, err := hex.DecodeString(c.RawHex)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.Direction == "c2s" {
				packets = append(packets, c.Raw+string(raw))
			}
		}
	}
	return packets
}

// corpus is every input that a fuzzer of a package has found worth keeping: the
// first byte slice or string of each file below its testdata/fuzz.
func corpus(t *testing.T, pkg string) (inputs []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pkg, "testdata", "fuzz", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			_, value, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), ")"), "(")
			if !ok || !strings.HasPrefix(line, "[]byte(") && !strings.HasPrefix(line, "string(") {
				continue
			}
			input, err := strconv.Unquote(value)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, line, err)
			}
			inputs = append(inputs, input)
			break
		}
	}
	return inputs
}

// mutate changes a packet a little.
func mutate(random *rand.Rand, packet string) string {
	b := []byte(packet)
	if len(b) == 0 {
		return "{"
	}
	at := random.IntN(len(b))
	switch random.IntN(4) {
	case 0:
		b[at] = byte(random.Uint32())
	case 1:
		b = b[:at]
	case 2:
		b = slices.Insert(b, at, `{}[]",:\0`[random.IntN(9)])
	case 3:
		b = slices.Delete(b, at, min(at+1+random.IntN(4), len(b)))
	}
	return string(b)
}
