// Package web serves the pages of the port: the browser client that is built into
// the program, or a folder that replaces it. It knows nothing of the game.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	client "tavern/client/web"
)

// types are those of the client's files, said here so that they do not depend on
// the machine's own table.
var types = map[string]string{
	".html":        "text/html; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".webmanifest": "application/manifest+json",
	".png":         "image/png",
	".wasm":        "application/wasm",
	".pck":         "application/octet-stream",
}

// page is one file, ready to be sent.
type page struct {
	body, gzipped []byte // gzipped is nil where it would not be shorter
	kind, tag     string
}

// BuiltIn serves the browser client of the program from memory, compressed, under
// its own content security policy.
func BuiltIn() (http.Handler, error) {
	pages := map[string]*page{}
	err := fs.WalkDir(client.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(client.FS, name)
		if err != nil {
			return err
		}
		pages["/"+name], err = newPage(name, body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("web: the built-in client: %w", err)
	}
	pages["/"] = pages["/index.html"]
	if pages["/"] == nil {
		return nil, errors.New("web: the built-in client has no index.html")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page can only be read", http.StatusMethodNotAllowed)
			return
		}
		p := pages[r.URL.Path]
		if p == nil {
			http.NotFound(w, r)
			return
		}
		harden(w.Header())
		w.Header().Set("Content-Security-Policy", client.ContentSecurityPolicy)
		p.serve(w, r)
	}), nil
}

func newPage(name string, body []byte) (*page, error) {
	sum := sha256.Sum256(body)
	p := &page{body: body, kind: kind(name), tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	var packed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zw.Write(body); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	if packed.Len() < len(body)*9/10 {
		p.gzipped = bytes.Clone(packed.Bytes())
	}
	return p, nil
}

func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", p.kind)
	h.Set("Cache-Control", "no-cache") // may be kept, but is asked for again: by tag, for a few bytes
	h.Set("Etag", p.tag)
	h.Set("Vary", "Accept-Encoding")
	body := p.body
	if p.gzipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("Etag", strings.TrimSuffix(p.tag, `"`)+`-gz"`)
		body = p.gzipped
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// Folder serves dir in place of the built-in client: for one's own, for example a
// Godot game exported for the web. Godot's threads need the two cross-origin
// headers. Files whose names begin with a dot are not served.
func Folder(dir string) http.Handler {
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, part := range strings.Split(r.URL.Path, "/") {
			if strings.HasPrefix(part, ".") {
				http.NotFound(w, r)
				return
			}
		}
		h := w.Header()
		harden(h)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		if t := types[path.Ext(r.URL.Path)]; t != "" {
			h.Set("Content-Type", t)
		}
		h.Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	})
}

// harden sets what every page has.
func harden(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func kind(name string) string {
	ext := path.Ext(name)
	if t := types[ext]; t != "" {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}
