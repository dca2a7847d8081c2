package admin

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed page
var page embed.FS

// routes are all that this listener answers.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"POST /api/v1/session":   s.login,
		"DELETE /api/v1/session": s.logout,

		"GET /api/v1/status":     s.guarded(s.status),
		"GET /api/v1/history":    s.guarded(s.samples),
		"GET /api/v1/players":    s.guarded(s.players),
		"GET /api/v1/map":        s.guarded(s.places),
		"GET /api/v1/bans":       s.guarded(s.bans),
		"GET /api/v1/mutes":      s.guarded(s.mutes),
		"GET /api/v1/moderators": s.guarded(s.moderators),
		"GET /api/v1/audit":      s.guarded(s.audit),

		"POST /api/v1/announce":   s.guarded(s.announce),
		"POST /api/v1/kick":       s.guarded(s.kick),
		"POST /api/v1/mute":       s.guarded(s.mute),
		"POST /api/v1/unmute":     s.guarded(s.unmute),
		"POST /api/v1/ban":        s.guarded(s.ban),
		"POST /api/v1/unban":      s.guarded(s.unban),
		"POST /api/v1/moderators": s.guarded(s.setModerator),

		"/api/": func(w http.ResponseWriter, r *http.Request) {
			fail(w, http.StatusNotFound, "There is nothing here: see API.md")
		},
		"/admin": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/", http.StatusMovedPermanently)
		},
	} {
		mux.HandleFunc(pattern, handler)
	}
	if s.cfg.More != nil {
		s.cfg.More(mux)
	}
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // it is in the binary
	}
	mux.Handle("/", http.FileServerFS(files))

	// What a browser sends from elsewhere is refused before anything looks at it,
	// besides what guarded asks for.
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusForbidden, "This request comes from another site")
	}))
	return origin.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") && r.URL.Path != "/" { // no listing of folders
			http.NotFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}
