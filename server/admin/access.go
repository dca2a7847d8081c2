package admin

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tavern/game/account"
	"tavern/server/moderation"
)

const (
	cookieName = "tavern_admin"
	// pageHeader must be on every request of the page that changes something. No
	// other site's page can send it: browsers ask first, and are not answered.
	pageHeader = "Tavern-Page"
	// operatorHeader may tell who uses a token that several share.
	operatorHeader = "Tavern-Operator"
	// commandAgent is how the User-Agent of our own commands begins.
	commandAgent = "tavern-command"
)

// guarded lets the operator in, by a token in the Authorization header or by the
// page's session, and nobody else.
func (s *Server) guarded(do func(w http.ResponseWriter, r *http.Request, by moderation.By)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if token, ok := bearer(r); ok {
			if _, err := s.doors.check(r.Context(), peer(r), token); err != nil {
				s.shut(w, r, err)
				return
			}
			via := "api"
			if strings.HasPrefix(r.UserAgent(), commandAgent) {
				via = "command"
			}
			do(w, r, moderation.Operator(r.Header.Get(operatorHeader), via))
			return
		}
		cookie, err := r.Cookie(cookieName)
		if err != nil {
			fail(w, http.StatusUnauthorized, "Log in, or send a token")
			return
		}
		name, ok := s.doors.enter(r.Context(), cookie.Value)
		if !ok {
			fail(w, http.StatusUnauthorized, "The session has ended, log in again")
			return
		}
		if r.Method != http.MethodGet && r.Header.Get(pageHeader) == "" {
			fail(w, http.StatusForbidden, "The header "+pageHeader+" is missing")
			return
		}
		do(w, r, moderation.Operator(name, "page"))
	}
}

func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// shut says why somebody with a token is not let in.
func (s *Server) shut(w http.ResponseWriter, r *http.Request, err error) {
	var wait tooSoon
	switch {
	case errors.As(err, &wait):
		seconds := int(math.Ceil(time.Duration(wait).Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		fail(w, http.StatusTooManyRequests, "Too many wrong tokens: try again in "+strconv.Itoa(seconds)+" s")
	case errors.Is(err, errWrongToken):
		s.cfg.Logger.Warn("wrong token for the operator's page", "address", peer(r).String())
		fail(w, http.StatusUnauthorized, "The token is wrong")
	case errors.Is(err, errNoToken):
		fail(w, http.StatusUnauthorized, "This server has no token: make one with the command admin-token")
	default:
		s.internal(w, r, err)
	}
}

// login begins a session of the page.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token string `json:"token"`
		Name  string `json:"name"`
	}
	if !read(w, r, &in) {
		return
	}
	if r.Header.Get(pageHeader) == "" { // else another site's page could log the browser in
		fail(w, http.StatusForbidden, "The header "+pageHeader+" is missing")
		return
	}
	hash, err := s.doors.check(r.Context(), peer(r), in.Token)
	if err != nil {
		s.shut(w, r, err)
		return
	}
	by := moderation.Operator(in.Name, "page")
	e := account.Entry{At: s.cfg.Now(), By: by.String(), Via: "page", Action: "login", Target: peer(r).String()}
	if err := s.cfg.Store.Record(r.Context(), e); err != nil {
		s.internal(w, r, err)
		return
	}
	http.SetCookie(w, s.cookie(r, s.doors.open(hash, in.Name), int(sessionTime.Seconds())))
	w.WriteHeader(http.StatusNoContent)
}

// logout ends a session of the page, if there is one.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(pageHeader) == "" {
		fail(w, http.StatusForbidden, "The header "+pageHeader+" is missing")
		return
	}
	if cookie, err := r.Cookie(cookieName); err == nil {
		s.doors.close(cookie.Value)
	}
	http.SetCookie(w, s.cookie(r, "", -1))
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		// Behind a proxy that speaks TLS the connection to us does not.
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
}

// internal answers an error that is nobody's business but the log's.
func (s *Server) internal(w http.ResponseWriter, r *http.Request, err error) {
	s.cfg.Logger.Error("a request of the operator failed", slog.String("path", r.URL.Path), slog.Any("error", err))
	fail(w, http.StatusInternalServerError, "Something went wrong, the server's log knows what")
}
