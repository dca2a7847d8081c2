package report

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func book() *Book {
	b := &Book{Title: "bench chat", Machine: []string{"cores: 2"}, Command: "bench chat -room 10"}
	for i, rate := range []float64{100, 200} {
		r := &Record{Mode: "chat", Case: "room=10/rate=" + []string{"100", "200"}[i], Server: "tavern"}
		r.Add("deliveries/s", rate*9, "/s")
		r.AddTime("p99", 51500*time.Microsecond)
		r.AddTime("unknown", -1)
		r.AddDetail("said", rate)
		b.Records = append(b.Records, r)
	}
	b.Records[1].Problem("%d lost <b>", 3)
	b.Records[1].Note("all else was well")
	p := &Plot{Title: "Latency", XLabel: "rate", YLabel: "ms", LogX: true, LogY: true, Limit: 200}
	p.Add("p99", 900, 51.5)
	p.Add("p99", 1800, 60)
	p.Add("p99", math.NaN(), 60)
	p.Add("nothing", 0, 0) // a logarithm has no zero
	b.Plots = append(b.Plots, p, &Plot{Title: "Flat", Lines: []Line{{"one", []Point{{5, 0}}}}})
	return b
}

func TestFormat(t *testing.T) {
	for _, tc := range []struct {
		figure Figure
		want   string
	}{
		{Figure{Value: 10381234.6, Unit: "/s"}, "10,381,235/s"},
		{Figure{Value: 0.0408, Unit: "s"}, "0.0408 s"},
		{Figure{Value: 71.84, Unit: "ms"}, "71.8 ms"},
		{Figure{Value: 1234.56, Unit: "ms"}, "1,235 ms"},
		{Figure{Value: 3}, "3"},
		{Figure{Value: -1234567}, "-1,234,567"},
		{Figure{Value: 42.25, Unit: "%"}, "42.2%"},
		{Figure{Value: math.NaN(), Unit: "ms"}, "–"},
		{Figure{Value: 0, Unit: "ms"}, "0.0000 ms"},
	} {
		if got := tc.figure.Format(); got != tc.want {
			t.Errorf("%+v is %q, want %q", tc.figure, got, tc.want)
		}
	}
}

func TestWriteTable(t *testing.T) {
	var out strings.Builder
	if err := book().WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	const want = `cores: 2

                  chat  deliveries/s      p99  unknown
  room=10/rate=100 tavern         900/s  51.5 ms        –
  room=10/rate=200 tavern       1,800/s  51.5 ms        –
  ! chat room=10/rate=200 tavern: 3 lost <b>
  chat room=10/rate=200 tavern: all else was well
`
	squeeze := func(s string) string { return regexp.MustCompile(` +`).ReplaceAllString(s, " ") }
	if squeeze(out.String()) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestWriteJSON(t *testing.T) {
	var out strings.Builder
	if err := book().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	var r struct {
		Mode, Case string
		Figures    map[string]float64
		Problems   []string
	}
	if err := json.Unmarshal([]byte(lines[1]), &r); err != nil {
		t.Fatal(err)
	}
	if r.Mode != "chat" || r.Figures["deliveries/s"] != 1800 || r.Figures["said"] != 200 || len(r.Problems) != 1 {
		t.Errorf("%+v", r)
	}
	if _, there := r.Figures["unknown"]; there {
		t.Error("an unknown figure has a value")
	}
}

func TestWriteGoBench(t *testing.T) {
	var out strings.Builder
	if err := book().WriteGoBench(&out); err != nil {
		t.Fatal(err)
	}
	const want = "cores: 2\n" +
		"BenchmarkChat/tavern/room=10/rate=100 1 900 deliveries/s 51.5 p99-ms\n" +
		"BenchmarkChat/tavern/room=10/rate=200 1 1800 deliveries/s 51.5 p99-ms\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestWriteHTML(t *testing.T) {
	path, err := book().WriteHTML(t.TempDir() + "/deep/er")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	if n := strings.Count(page, "<svg"); n != 2 {
		t.Errorf("%d plots, want 2", n)
	}
	if !strings.Contains(page, "3 lost &lt;b&gt;") {
		t.Error("a problem is not on the page, or not escaped")
	}
	if found := regexp.MustCompile(`(src|href)="?(https?:)?//`).FindString(page); found != "" {
		t.Errorf("the page needs something from elsewhere: %s", found)
	}
	for _, text := range []string{"bench chat -room 10", "1,800/s", "cores: 2", "Latency"} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page", text)
		}
	}
}
