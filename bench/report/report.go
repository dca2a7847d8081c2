// Package report turns what the modes measured into a table for people, JSON lines and
// Go benchmark lines for programs, and one HTML page with plots. It measures nothing.
package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Figure is one measured number.
type Figure struct {
	Name   string // a few words
	Value  float64
	Unit   string // "/s", "ms", "s", "B", "KB/s", "MB", "%" or "" for a count
	Detail bool   // for programs: not in the tables
}

// Record is one measurement.
type Record struct {
	Mode     string
	Case     string // what distinguishes it from others of that mode: "room=1000/rate=10400"
	Server   string
	Figures  []Figure
	Problems []string // in words; empty when all was well
	Notes    []string // what else is to be said
}

// Add appends one figure.
func (r *Record) Add(name string, value float64, unit string) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value, Unit: unit})
}

// AddDetail appends a count that the tables leave out.
func (r *Record) AddDetail(name string, value float64) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value, Detail: true})
}

// Shown returns the figures of the tables.
func (r *Record) Shown() []Figure {
	return slices.DeleteFunc(slices.Clone(r.Figures), func(f Figure) bool { return f.Detail })
}

// AddTime appends a duration in milliseconds; a negative one is an unknown one.
func (r *Record) AddTime(name string, d time.Duration) {
	ms := float64(d) / float64(time.Millisecond)
	if d < 0 {
		ms = math.NaN()
	}
	r.Add(name, ms, "ms")
}

// Problem notes something that makes the measurement doubtful.
func (r *Record) Problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Note says something that is no problem.
func (r *Record) Note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Get returns a figure's value, NaN when there is none of that name.
func (r *Record) Get(name string) float64 {
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	return math.NaN()
}

// Format writes a value as a table shows it: three significant digits at least, never
// an exponent.
func (f Figure) Format() string {
	switch {
	case math.IsNaN(f.Value):
		return "–"
	case math.IsInf(f.Value, 0):
		return "∞"
	}
	digits := 0
	if f.Value != math.Trunc(f.Value) || f.Unit == "ms" || f.Unit == "s" {
		digits = max(0, 2-int(math.Floor(math.Log10(max(math.Abs(f.Value), 0.001)))))
		digits = min(digits, 4)
	}
	text := grouped(strconv.FormatFloat(f.Value, 'f', digits, 64))
	if f.Unit == "" {
		return text
	}
	if f.Unit == "/s" || f.Unit == "%" {
		return text + f.Unit
	}
	return text + " " + f.Unit
}

// grouped puts a comma between each three digits of the whole part.
func grouped(number string) string {
	whole, fraction, _ := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// Line is one line of a plot.
type Line struct {
	Name   string
	Points []Point
}

// Point is one point of a line.
type Point struct{ X, Y float64 }

// Plot is one picture of the page.
type Plot struct {
	Title  string
	XLabel string
	YLabel string
	LogX   bool
	LogY   bool
	Lines  []Line
	Limit  float64 // a horizontal line at this height; 0 for none
}

// Add appends a point to the line of that name, which it makes when it is new.
func (p *Plot) Add(line string, x, y float64) {
	if math.IsNaN(x) || math.IsNaN(y) || math.IsInf(y, 0) {
		return
	}
	for i := range p.Lines {
		if p.Lines[i].Name == line {
			p.Lines[i].Points = append(p.Lines[i].Points, Point{x, y})
			return
		}
	}
	p.Lines = append(p.Lines, Line{line, []Point{{x, y}}})
}

// Book is everything that one run of the program found.
type Book struct {
	Title   string
	Machine []string // a line each: processor, kernel, versions, pins
	Command string
	Records []*Record
	Plots   []*Plot
}
