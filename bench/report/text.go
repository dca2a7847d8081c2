package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// columns is the most figures that are shown side by side.
const columns = 11

// WriteTable writes the records for people: one of its kind as a list, several of one
// kind as a table with a row each.
func (b *Book) WriteTable(w io.Writer) error {
	for _, line := range b.Machine {
		fmt.Fprintln(w, line)
	}
	for rest := b.Records; len(rest) > 0; {
		n := alike(rest)
		fmt.Fprintln(w)
		var err error
		switch {
		case n == 1:
			err = writeList(w, rest[:1])
		case len(rest[0].Shown()) > columns || sameCase(rest[:n]):
			err = writeList(w, rest[:n])
		default:
			err = writeRows(w, rest[:n])
		}
		if err != nil {
			return err
		}
		for _, r := range rest[:n] {
			for _, p := range r.Problems {
				fmt.Fprintf(w, "  ! %s: %s\n", r.name(), p)
			}
			for _, n := range r.Notes {
				fmt.Fprintf(w, "  %s: %s\n", r.name(), n)
			}
		}
		rest = rest[n:]
	}
	return nil
}

// alike returns how many of the first records have the same mode and figures.
func alike(records []*Record) int {
	n := 1
	for n < len(records) && records[n].Mode == records[0].Mode && slices.EqualFunc(records[n].Shown(), records[0].Shown(),
		func(a, b Figure) bool { return a.Name == b.Name }) {
		n++
	}
	return n
}

func sameCase(records []*Record) bool {
	return !slices.ContainsFunc(records, func(r *Record) bool { return r.Case != records[0].Case })
}

func (r *Record) name() string {
	parts := []string{r.Mode}
	if r.Case != "" {
		parts = append(parts, r.Case)
	}
	if r.Server != "" {
		parts = append(parts, r.Server)
	}
	return strings.Join(parts, " ")
}

// Line is a record in one line.
func (r *Record) Line() string {
	parts := []string{r.name()}
	for _, f := range r.Shown() {
		parts = append(parts, f.Name+" "+f.Format())
	}
	return strings.Join(parts, "  ")
}

// writeList writes a row for each figure and a column for each record.
func writeList(w io.Writer, records []*Record) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, r := range records {
		fmt.Fprintf(tw, "\t%s", r.name())
	}
	fmt.Fprintln(tw, "\t")
	for i, f := range records[0].Shown() {
		fmt.Fprint(tw, f.Name)
		for _, r := range records {
			fmt.Fprintf(tw, "\t%s", r.Shown()[i].Format())
		}
		fmt.Fprintln(tw, "\t")
	}
	return tw.Flush()
}

// writeRows writes a row for each record and a column for each figure.
func writeRows(w io.Writer, records []*Record) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, records[0].Mode)
	for _, f := range records[0].Shown() {
		fmt.Fprintf(tw, "\t%s", f.Name)
	}
	fmt.Fprintln(tw, "\t")
	for _, r := range records {
		name := r.Case
		if r.Server != "" {
			name += " " + r.Server
		}
		fmt.Fprint(tw, name)
		for _, f := range r.Shown() {
			fmt.Fprintf(tw, "\t%s", f.Format())
		}
		fmt.Fprintln(tw, "\t")
	}
	return tw.Flush()
}

// jsonRecord is one line of the JSON output.
type jsonRecord struct {
	Mode     string             `json:"mode"`
	Case     string             `json:"case,omitempty"`
	Server   string             `json:"server,omitempty"`
	Figures  map[string]float64 `json:"figures"`
	Units    map[string]string  `json:"units"`
	Problems []string           `json:"problems,omitempty"`
	Notes    []string           `json:"notes,omitempty"`
	Machine  []string           `json:"machine"`
	Command  string             `json:"command"`
}

// WriteJSON writes each record as one line of JSON.
func (b *Book) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, r := range b.Records {
		line := jsonRecord{
			Mode: r.Mode, Case: r.Case, Server: r.Server, Problems: r.Problems, Notes: r.Notes,
			Figures: make(map[string]float64), Units: make(map[string]string),
			Machine: b.Machine, Command: b.Command,
		}
		for _, f := range r.Figures {
			if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
				continue
			}
			line.Figures[f.Name] = f.Value
			line.Units[f.Name] = f.Unit
		}
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

// WriteGoBench writes each record in the format of Go benchmarks, for benchstat.
func (b *Book) WriteGoBench(w io.Writer) error {
	for _, line := range b.Machine {
		// A line "key: value" is configuration to benchstat.
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	for _, r := range b.Records {
		name := "Benchmark" + strings.ToUpper(r.Mode[:1]) + r.Mode[1:]
		for _, part := range []string{r.Server, r.Case} {
			if part != "" {
				name += "/" + strings.ReplaceAll(part, " ", "_")
			}
		}
		fmt.Fprintf(w, "%s 1", name)
		for _, f := range r.Shown() {
			if !math.IsNaN(f.Value) && !math.IsInf(f.Value, 0) {
				fmt.Fprintf(w, " %v %s", f.Value, benchUnit(f))
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

// benchUnit makes one word of a figure's name and unit. benchstat takes a unit that
// ends in "/s" for one where more is better.
func benchUnit(f Figure) string {
	name := strings.ReplaceAll(f.Name, " ", "-")
	switch f.Unit {
	case "":
		return name
	case "/s":
		return strings.TrimSuffix(name, "/s") + "/s"
	case "%":
		return name + "-percent"
	}
	return name + "-" + f.Unit
}
