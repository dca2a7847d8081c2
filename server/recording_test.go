package main

import (
	"bufio"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"testing"
)

// recorded is one line of a transcript: what somebody sent or got, or a heading.
type recorded struct {
	N          int    `json:"n"`
	Who        string `json:"who"`
	Ev         string `json:"ev"`
	Dir        string `json:"dir"`
	Op         string `json:"op"`
	Opcode     byte   `json:"opcode"`
	Fin        bool   `json:"fin"`
	Payload    string `json:"payload"`
	PayloadHex string `json:"payload_hex"`
	Code       int    `json:"code"`
	Step       string `json:"step"`
}

func (r *recorded) sent() bool { return r.Dir == "c>s" }

// data tells whether the line is a packet.
func (r *recorded) data() bool { return r.Ev == "frame" && (r.Op == "text" || r.Op == "binary") }

// transcripts is where the recorded sessions lie: beside the checkout.
var transcripts = filepath.Join("..", "..", "shared", "transcripts")

// transcript reads a recorded session. They are not part of the repository: where
// they are missing the test is skipped, but not in CI.
func transcript(t *testing.T, name string) (lines []recorded) {
	t.Helper()
	f, err := os.Open(filepath.Join(transcripts, name+".jsonl"))
	if os.IsNotExist(err) && os.Getenv("CI") == "" {
		t.Skipf("SKIPPED: the recorded sessions are not beside this checkout: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r recorded
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Fatalf("%s, line %d: %v", name, len(lines)+1, err)
		}
		lines = append(lines, r)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// stepsIn yields the lines from each heading to the next; what comes before the
// first has none.
func stepsIn(lines []recorded) iter.Seq2[string, []recorded] {
	return func(yield func(string, []recorded) bool) {
		begin := 0
		for i := 1; i <= len(lines); i++ {
			if i < len(lines) && lines[i].Ev != "step" {
				continue
			}
			if !yield(lines[begin].Step, lines[begin:i]) {
				return
			}
			begin = i
		}
	}
}
