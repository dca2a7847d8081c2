package swarm

import (
	"encoding/json"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	h := NewHistogram()
	for ms := 1; ms <= 1000; ms++ {
		h.Record(time.Duration(ms) * time.Millisecond)
	}
	for _, tc := range []struct {
		q    float64
		want time.Duration
	}{{0.5, 500 * time.Millisecond}, {0.99, 990 * time.Millisecond}, {0.999, 999 * time.Millisecond}, {1, time.Second}} {
		if got := h.Quantile(tc.q); (got - tc.want).Abs() > tc.want/500 {
			t.Errorf("quantile %v is %v, want %v", tc.q, got, tc.want)
		}
	}
	if h.Count() != 1000 || h.Max() != time.Second {
		t.Errorf("count %d, max %v", h.Count(), h.Max())
	}
}

func TestHistogramTakesAnything(t *testing.T) {
	h := NewHistogram()
	h.Record(-time.Second)
	h.Record(0)
	h.Record(time.Hour)
	if h.Count() != 3 || h.Max() != time.Hour {
		t.Errorf("count %d, max %v; want 3, 1h", h.Count(), h.Max())
	}
	if got := h.Quantile(1); got < 59*time.Second || got > 61*time.Second {
		t.Errorf("an hour is held as %v, want the end of the range", got)
	}
}

func TestHistogramMergeIsSum(t *testing.T) {
	a, b, sum := NewHistogram(), NewHistogram(), NewHistogram()
	for i := range 500 {
		fast, slow := time.Duration(i)*10*time.Microsecond, time.Duration(i)*time.Millisecond
		a.Record(fast)
		b.Record(slow)
		sum.Record(fast)
		sum.Record(slow)
	}
	merged := mergeHistograms(mergeHistograms(nil, a), b)
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		if got, want := merged.Quantile(q), sum.Quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if merged.Count() != 1000 || merged.Max() != sum.Max() {
		t.Errorf("count %d, max %v", merged.Count(), merged.Max())
	}
}

func TestHistogramTravels(t *testing.T) {
	h := NewHistogram()
	for i := range 1000 {
		h.Record(time.Duration(i*i) * time.Microsecond)
	}
	data, err := json.Marshal(struct{ H, None *Histogram }{H: h})
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ H, None *Histogram }
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.None != nil {
		t.Error("a missing histogram came back as one")
	}
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		if got, want := back.H.Quantile(q), h.Quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if back.H.Count() != h.Count() || back.H.Max() != h.Max() {
		t.Errorf("count %d, max %v; want %d, %v", back.H.Count(), back.H.Max(), h.Count(), h.Max())
	}
	back.H.Record(time.Second) // and is of further use
}

func TestHistogramShifted(t *testing.T) {
	h := NewHistogram()
	h.Record(10 * time.Millisecond)
	h.Record(20 * time.Millisecond)
	moved := h.Shifted(5 * time.Millisecond)
	if got := moved.Quantile(1); (got-25*time.Millisecond).Abs() > 50*time.Microsecond || moved.Count() != 2 {
		t.Errorf("the larger is %v of %d", got, moved.Count())
	}
}
