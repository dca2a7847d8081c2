package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	client "tavern/client/web"
)

func get(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestBuiltIn(t *testing.T) {
	h, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	want, err := client.FS.ReadFile("index.html")
	if err != nil {
		t.Fatal(err)
	}
	plain := get(t, h, "GET", "/")
	if body, _ := io.ReadAll(plain.Body); string(body) != string(want) || plain.StatusCode != 200 {
		t.Errorf("/ answers %d and %d bytes, want index.html", plain.StatusCode, len(body))
	}
	for name, value := range map[string]string{
		"Content-Security-Policy": client.ContentSecurityPolicy,
		"Content-Type":            "text/html; charset=utf-8",
		"X-Content-Type-Options":  "nosniff",
	} {
		if got := plain.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	packed := get(t, h, "GET", "/", "Accept-Encoding", "gzip")
	zr, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(zr); string(body) != string(want) {
		t.Error("compressed, / is another page")
	}
	if again := get(t, h, "GET", "/", "If-None-Match", plain.Header.Get("Etag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again by tag: %d, want 304", again.StatusCode)
	}
	for path, kind := range map[string]string{"/js/main.js": "text/javascript; charset=utf-8", "/art/tiles.png": "image/png", "/manifest.webmanifest": "application/manifest+json"} {
		r := get(t, h, "GET", path)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %d, %q, want 200, %q", path, r.StatusCode, r.Header.Get("Content-Type"), kind)
		}
	}
	for _, path := range []string{"/embed.go", "/../embed.go", "/js", "/nothing"} {
		if r := get(t, h, "GET", path); r.StatusCode != 404 {
			t.Errorf("%s: %d, want 404", path, r.StatusCode)
		}
	}
	if r := get(t, h, "POST", "/"); r.StatusCode != 405 {
		t.Errorf("POST /: %d, want 405", r.StatusCode)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"index.html": "mine", "game.wasm": "w", ".secret": "s", "sub/.git/config": "s"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := Folder(dir)
	r := get(t, h, "GET", "/")
	if body, _ := io.ReadAll(r.Body); string(body) != "mine" {
		t.Errorf("/ is %q", body)
	}
	if r.Header.Get("Cross-Origin-Opener-Policy") != "same-origin" || r.Header.Get("Cross-Origin-Embedder-Policy") != "require-corp" {
		t.Errorf("headers %v", r.Header)
	}
	if r := get(t, h, "GET", "/game.wasm"); r.Header.Get("Content-Type") != "application/wasm" {
		t.Errorf("game.wasm is %q", r.Header.Get("Content-Type"))
	}
	for _, path := range []string{"/.secret", "/sub/.git/config", "/../web.go"} {
		if r := get(t, h, "GET", path); r.StatusCode == 200 || strings.Contains(r.Header.Get("Location"), "secret") {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}
