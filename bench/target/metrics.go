package target

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Metrics is one reading of the server's /metrics in the text format of Prometheus.
type Metrics struct {
	Values  map[string]float64  // by name; series that differ in labels are added up
	Series  map[string]float64  // with labels, as they are written: name{label="value"}
	Buckets map[string][]Bucket // by the histogram's name, sorted by Le
}

// Bucket says how many observations were at most Le, in the unit of the metric.
type Bucket struct {
	Le    float64
	Count float64
}

// Metrics reads the server's metrics.
func (s *Server) Metrics(ctx context.Context) (*Metrics, error) {
	url := s.cfg.Metrics
	if url == "" {
		url = "http://" + s.addr + "/metrics"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("target: metrics: %w", err)
	}
	request.Header.Set("Accept", "text/plain")
	request.Close = true // no connection must be left in the server's memory
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("target: metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("target: metrics: %s", response.Status)
	}
	return parseMetrics(response.Body)
}

func parseMetrics(r io.Reader) (*Metrics, error) {
	m := &Metrics{Values: make(map[string]float64), Series: make(map[string]float64), Buckets: make(map[string][]Bucket)}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		name, labels, value, ok := parseSample(line)
		if !ok {
			return nil, fmt.Errorf("target: metrics: cannot read %q", line)
		}
		base, isBucket := strings.CutSuffix(name, "_bucket")
		le, hasLe := labelLe(labels)
		if isBucket && hasLe {
			m.addBucket(base, le, value)
			continue
		}
		m.Values[name] += value
		if labels != "" {
			m.Series[name+"{"+labels+"}"] = value
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("target: metrics: %w", err)
	}
	for _, buckets := range m.Buckets {
		slices.SortFunc(buckets, func(a, b Bucket) int {
			if a.Le < b.Le {
				return -1
			}
			return 1
		})
	}
	return m, nil
}

func (m *Metrics) addBucket(name string, le, count float64) {
	for i, b := range m.Buckets[name] {
		if b.Le == le {
			m.Buckets[name][i].Count += count
			return
		}
	}
	m.Buckets[name] = append(m.Buckets[name], Bucket{le, count})
}

// parseSample splits `name{labels} value`.
func parseSample(line string) (name, labels string, value float64, ok bool) {
	space := strings.LastIndexByte(line, ' ')
	if open := strings.IndexByte(line, '{'); open >= 0 {
		end := strings.LastIndexByte(line, '}')
		if end < open || space < end {
			return "", "", 0, false
		}
		name, labels = line[:open], line[open+1:end]
	} else if space > 0 {
		name = line[:space]
	}
	value, err := strconv.ParseFloat(line[space+1:], 64)
	return name, labels, value, err == nil && name != ""
}

func labelLe(labels string) (float64, bool) {
	_, rest, found := strings.Cut(labels, `le="`)
	if !found {
		return 0, false
	}
	text, _, _ := strings.Cut(rest, `"`)
	le, err := strconv.ParseFloat(text, 64)
	return le, err == nil
}

// Distribution is a histogram of what was observed between two readings.
type Distribution struct {
	Buckets []Bucket // counts are cumulative
	Count   float64
	Sum     float64
}

// Since returns what the histogram observed after the earlier reading; empty when the
// server has no such histogram.
func (m *Metrics) Since(earlier *Metrics, name string) Distribution {
	d := Distribution{
		Count: m.Values[name+"_count"] - earlier.Values[name+"_count"],
		Sum:   m.Values[name+"_sum"] - earlier.Values[name+"_sum"],
	}
	before := make(map[float64]float64)
	for _, b := range earlier.Buckets[name] {
		before[b.Le] = b.Count
	}
	for _, b := range m.Buckets[name] {
		d.Buckets = append(d.Buckets, Bucket{b.Le, b.Count - before[b.Le]})
	}
	return d
}

// Quantile estimates the value that the share q of the observations does not exceed,
// in a straight line inside its bucket. Above the last finite bound it returns that
// bound; of nothing, NaN.
func (d Distribution) Quantile(q float64) float64 {
	if len(d.Buckets) == 0 || d.Buckets[len(d.Buckets)-1].Count <= 0 {
		return math.NaN()
	}
	rank := q * d.Buckets[len(d.Buckets)-1].Count
	lower, below := 0.0, 0.0
	for _, b := range d.Buckets {
		if b.Count >= rank && b.Count > below {
			if math.IsInf(b.Le, 1) {
				return lower
			}
			return lower + (b.Le-lower)*(rank-below)/(b.Count-below)
		}
		lower, below = b.Le, b.Count
	}
	return lower
}

// QuantileDuration is Quantile for a histogram of seconds; negative of nothing.
func (d Distribution) QuantileDuration(q float64) time.Duration {
	v := d.Quantile(q)
	if math.IsNaN(v) {
		return -1
	}
	return time.Duration(v * float64(time.Second))
}
