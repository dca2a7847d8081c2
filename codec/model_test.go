package codec

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// wantCoordinate says with strconv what appendCoordinate does on its own.
func wantCoordinate(v float64) string {
	if math.IsNaN(v) {
		return "0.0"
	}
	s := strconv.FormatFloat(max(-maxCoordinate, min(v, maxCoordinate)), 'f', 2, 64)
	s = strings.TrimSuffix(s, "0")
	if s == "-0.0" {
		return "0.0"
	}
	return s
}

func TestAppendCoordinate(t *testing.T) {
	tests := []struct {
		v    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "0.0"},
		{2.8, "2.8"},
		{-10.472289085388184, "-10.47"},
		{100, "100.0"},
		{0.05, "0.05"},
		{-0.05, "-0.05"},
		{9.999, "10.0"},
		{-9.995, "-9.99"}, // the float lies just below
		{1.115, "1.11"},   // times 100 it would round up to 111.5
		{1.005, "1.0"},
		{0.125, "0.12"}, // a tie goes to the even neighbour
		{0.375, "0.38"},
		{-0.004999, "0.0"},
		{0.005, "0.01"}, // the float lies just above
		{math.SmallestNonzeroFloat64, "0.0"},
		{math.Ldexp(1, -8), "0.0"},
		{-math.Ldexp(1, -7), "-0.01"},
		{123456789.125, "123456789.12"},
		{999999999.995, "1000000000.0"},
		{1e12, "1000000000000.0"},
		{1e12 - 0.01, "999999999999.99"},
		{math.MaxFloat64, "1000000000000.0"},
		{math.Inf(1), "1000000000000.0"},
		{math.Inf(-1), "-1000000000000.0"},
		{math.NaN(), "0.0"},
	}
	for _, tt := range tests {
		if got := string(appendCoordinate(nil, tt.v)); got != tt.want || wantCoordinate(tt.v) != tt.want {
			t.Errorf("%v: got %s, want %s; strconv says %s", tt.v, got, tt.want, wantCoordinate(tt.v))
		}
	}
}

func TestAppendCoordinateAgreesWithStrconv(t *testing.T) {
	rounds := 200_000
	if testing.Short() {
		rounds = 20_000
	}
	random := rand.New(rand.NewPCG(1, 2))
	makers := map[string]func() float64{
		"in the world": func() float64 { return (random.Float64() - 0.5) * 5000 },
		"any bits":     func() float64 { return math.Float64frombits(random.Uint64()) },
		"any size":     func() float64 { return math.Ldexp(random.Float64()*2-1, random.IntN(100)-50) },
		"half a hundredth": func() float64 {
			v := float64(random.Int64N(2e11)-1e11)/100 + 0.005
			for range random.IntN(3) {
				v = math.Nextafter(v, math.Inf(1-2*random.IntN(2)))
			}
			return v
		},
		"exact tie": func() float64 { return float64(random.Int64N(1e12))/8 - 6e10 },
	}
	for name, next := range makers {
		t.Run(name, func(t *testing.T) {
			var buf [64]byte
			for range rounds {
				v := next()
				if got, want := string(appendCoordinate(buf[:0], v)), wantCoordinate(v); got != want {
					t.Fatalf("%v (%x): got %s, want %s", v, math.Float64bits(v), got, want)
				}
			}
		})
	}
}
