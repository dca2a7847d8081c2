package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// WriteHTML writes one page, which needs nothing else, into a directory that it makes
// when there is none, and returns the page's path.
func (b *Book) WriteHTML(dir string) (string, error) {
	page := struct {
		*Book
		Groups []group
		Images []template.HTML
	}{Book: b}
	for rest := b.Records; len(rest) > 0; {
		n := alike(rest)
		page.Groups = append(page.Groups, group{rest[:n]})
		rest = rest[n:]
	}
	for _, p := range b.Plots {
		svg, err := p.svg()
		if err != nil {
			return "", err
		}
		page.Images = append(page.Images, template.HTML(svg))
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, page); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	path := filepath.Join(dir, "index.html")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return path, nil
}

// group is a table of the page: records with the same figures.
type group struct{ Records []*Record }

// Wide reports whether the records are the columns of the table.
func (g group) Wide() bool { return len(g.Records[0].Shown()) > columns || sameCase(g.Records) }

// Row returns figure i of every record.
func (g group) Row(i int) []Figure {
	var row []Figure
	for _, r := range g.Records {
		row = append(row, r.Shown()[i])
	}
	return row
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; display: block; overflow-x: auto }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
code, .machine { font: 13px/1.5 ui-monospace, monospace; color: #555 }
.problem { color: #a40000 }
svg { width: 100%; max-width: 44rem; height: auto; display: block; margin: 1.5rem 0 }
</style>
<h1>{{.Title}}</h1>
<p class="machine">{{range .Machine}}{{.}}<br>{{end}}<code>{{.Command}}</code></p>
{{range $g := .Groups}}{{with index $g.Records 0}}<h2>{{.Mode}}</h2>{{end}}
{{if $g.Wide}}<table><tr><th>{{range $g.Records}}<th>{{.Case}} {{.Server}}{{end}}</tr>
{{range $i, $f := (index $g.Records 0).Shown}}<tr><td>{{$f.Name}}{{range $g.Row $i}}<td>{{.Format}}{{end}}</tr>
{{end}}</table>
{{else}}<table><tr><th>{{range (index $g.Records 0).Shown}}<th>{{.Name}}{{end}}</tr>
{{range $g.Records}}<tr><td>{{.Case}} {{.Server}}{{range .Shown}}<td>{{.Format}}{{end}}</tr>
{{end}}</table>
{{end}}<ul>{{range $r := $g.Records}}{{range .Problems}}<li class="problem">{{$r.Case}} {{$r.Server}}: {{.}}
{{end}}{{range .Notes}}<li>{{$r.Case}} {{$r.Server}}: {{.}}
{{end}}{{end}}</ul>
{{end}}
{{range .Images}}{{.}}
{{end}}</html>
`))

// palette holds colours that stay apart for colour-blind readers.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xe6, 0x9f, 0x00, 0xff},
}

// svg draws the plot.
func (p *Plot) svg() (string, error) {
	drawing := plot.New()
	drawing.Title.Text = p.Title
	drawing.X.Label.Text, drawing.Y.Label.Text = p.XLabel, p.YLabel
	drawing.Legend.Top, drawing.Legend.Left = true, true
	for _, text := range []*font.Font{
		&drawing.Title.TextStyle.Font, &drawing.X.Label.TextStyle.Font, &drawing.Y.Label.TextStyle.Font,
		&drawing.X.Tick.Label.Font, &drawing.Y.Tick.Label.Font, &drawing.Legend.TextStyle.Font,
	} {
		text.Variant = "Sans"
	}
	drawing.Add(plotter.NewGrid())
	for i, line := range p.Lines {
		points := make(plotter.XYs, 0, len(line.Points))
		for _, point := range line.Points {
			if p.LogX && point.X <= 0 || p.LogY && point.Y <= 0 {
				continue
			}
			points = append(points, plotter.XY{X: point.X, Y: point.Y})
		}
		if len(points) == 0 {
			continue
		}
		curve, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return "", fmt.Errorf("report: plot %q: %w", p.Title, err)
		}
		curve.Color = palette[i%len(palette)]
		curve.Width = vg.Points(1.5)
		dots.Color = curve.Color
		dots.Shape = draw.CircleGlyph{}
		drawing.Add(curve, dots)
		drawing.Legend.Add(line.Name, curve, dots)
	}
	if p.Limit > 0 {
		limit := plotter.NewFunction(func(float64) float64 { return p.Limit })
		limit.Color = color.Gray{0x80}
		limit.Dashes = []vg.Length{vg.Points(4), vg.Points(4)}
		drawing.Add(limit)
		drawing.Y.Max = max(drawing.Y.Max, p.Limit*1.1)
	}
	p.scale(drawing)
	canvas := vgsvg.New(7*vg.Inch, 4*vg.Inch)
	drawing.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", fmt.Errorf("report: plot %q: %w", p.Title, err)
	}
	// A reader's machine may have another face of the same width.
	text := strings.ReplaceAll(out.String(), "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,sans-serif")
	return text[max(0, strings.Index(text, "<svg")):], nil
}

// scale sets the axes: from zero, or logarithmic with some room for a single point.
func (p *Plot) scale(drawing *plot.Plot) {
	axis := func(a *plot.Axis, log bool) {
		if !log {
			a.Min = min(a.Min, 0)
			if a.Max <= a.Min {
				a.Max = a.Min + 1
			}
			return
		}
		if a.Max <= a.Min {
			a.Min, a.Max = a.Min/2, a.Max*2
		}
		a.Scale = plot.LogScale{}
		a.Tick.Marker = plot.LogTicks{Prec: -1}
	}
	axis(&drawing.X, p.LogX)
	axis(&drawing.Y, p.LogY)
}
