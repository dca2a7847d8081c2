package web

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Everything the page, the manifest, the style sheet and the modules name is among the embedded files.
func TestReferences(t *testing.T) {
	patterns := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?:href|src)="([^"]+)"`),
		".css":  regexp.MustCompile(`url\(([^)]+)\)`),
		".js":   regexp.MustCompile(`(?m)^(?:import|export) .*from "([^"]+)";$`),
	}
	found := 0
	err := fs.WalkDir(FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		pattern := patterns[path.Ext(name)]
		if pattern == nil {
			return nil
		}
		for _, match := range pattern.FindAllStringSubmatch(read(t, name), -1) {
			found++
			if _, err := fs.Stat(FS, path.Join(path.Dir(name), match[1])); err != nil {
				t.Errorf("%s names %s: %v", name, match[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 40 {
		t.Errorf("found %d references: do the patterns still fit?", found)
	}
}

// The page names every module at once, so that a distant browser does not fetch them one behind the other.
func TestModulesArePreloaded(t *testing.T) {
	page := read(t, "index.html")
	modules, err := fs.Glob(FS, "js/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range modules {
		if !strings.Contains(page, `<link rel="modulepreload" href="`+name+`">`) {
			t.Errorf("index.html does not preload %s", name)
		}
	}
}

func TestManifest(t *testing.T) {
	var manifest struct {
		Name  string
		Icons []struct{ Src string }
	}
	if err := json.Unmarshal([]byte(read(t, "manifest.webmanifest")), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Name == "" || len(manifest.Icons) < 2 {
		t.Errorf("manifest %+v, want a name and two icons", manifest)
	}
	for _, icon := range manifest.Icons {
		if _, err := fs.Stat(FS, icon.Src); err != nil {
			t.Error(err)
		}
	}
}

// The page repeats the policy for servers that do not send it; only what a page may not say itself is missing there.
func TestPolicy(t *testing.T) {
	page := read(t, "index.html")
	for _, directive := range strings.Split(ContentSecurityPolicy, "; ") {
		if strings.HasPrefix(directive, "frame-ancestors") {
			continue
		}
		if !strings.Contains(page, directive) {
			t.Errorf("index.html lacks the policy's %q", directive)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(FS, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
