package ws

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCloseTable(t *testing.T) {
	names := make(map[string]bool)
	for i, row := range CloseCodes {
		if names[row.Name] || row.Name == "" || row.Meaning == "" {
			t.Errorf("%d: the name %q is empty or taken, or the meaning is", row.Code, row.Name)
		}
		names[row.Name] = true
		if i > 0 && row.Code <= CloseCodes[i-1].Code {
			t.Errorf("%d comes after %d", row.Code, CloseCodes[i-1].Code)
		}
		if ValidCloseCode(row.Code) != row.Wire {
			t.Errorf("%d: valid is %v, the table says %v", row.Code, !row.Wire, row.Wire)
		}
		if row.Wire != (row.Code != 1005 && row.Code != 1006 && row.Code != 1015) {
			t.Errorf("%d may stand in a close frame: %v", row.Code, row.Wire)
		}
	}
	for code, want := range map[int]bool{-1: false, 0: false, 999: false, 1004: false, 1016: false, 2999: false,
		3000: true, 4999: true, 5000: false, 65536 + 1000: false} {
		if ValidCloseCode(code) != want {
			t.Errorf("%d is valid: %v", code, !want)
		}
	}
	for _, f := range faults {
		if !ValidCloseCode(f.Code) || len(f.Reason) > maxReasonBytes {
			t.Errorf("%s: code %d or its reason cannot be sent", f.Label, f.Code)
		}
	}
	if len(faults) > maxFaults || len(refusals) > maxRefusals {
		t.Errorf("%d faults and %d refusals do not fit into the counters", len(faults), len(refusals))
	}
}

func TestAppendClose(t *testing.T) {
	for _, tt := range []struct {
		name       string
		code       int
		reason     string
		wantCode   int
		wantReason string
	}{
		{"plain", 1000, "bye", 1000, "bye"},
		{"own code", 4711, "", 4711, ""},
		{"code for nobody", 1006, "x", 1011, "x"},
		{"no code", 0, "", 1011, ""},
		{"as long as can be", 1000, strings.Repeat("r", 123), 1000, strings.Repeat("r", 123)},
		{"too long", 1000, strings.Repeat("r", 124), 1000, strings.Repeat("r", 123)},
		{"cut at a rune", 1000, strings.Repeat("r", 121) + "€", 1000, strings.Repeat("r", 121)},
		{"not UTF-8", 1000, "a\xff", 1000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := appendClose(nil, tt.code, tt.reason)
			if b[0] != closing || int(b[1]) != len(b)-2 || len(b) > 2+maxControlBytes {
				t.Fatalf("frame %x", b)
			}
			if !utf8.Valid(b[4:]) {
				t.Errorf("reason %q", b[4:])
			}
			code, reason, fault := parseClose(b[2:])
			if fault != nil || code != tt.wantCode || string(reason) != tt.wantReason {
				t.Errorf("got %d %q, %v; want %d %q", code, reason, fault, tt.wantCode, tt.wantReason)
			}
		})
	}
}
