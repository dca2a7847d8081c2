package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestNobodyGetsIn tries every route without and with wrong papers.
func TestNobodyGetsIn(t *testing.T) {
	for _, c := range []struct{ method, path string }{
		{"GET", "status"}, {"GET", "history"}, {"GET", "players"}, {"GET", "map"}, {"GET", "bans"}, {"GET", "mutes"},
		{"GET", "moderators"}, {"GET", "audit"}, {"POST", "announce"}, {"POST", "kick"}, {"POST", "mute"}, {"POST", "unmute"},
		{"POST", "ban"}, {"POST", "unban"}, {"POST", "moderators"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			o := open(t, nil)
			for name, with := range map[string]func(*http.Request){
				"nothing":        nil,
				"wrong cookie":   func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookieName, Value: "x"}); fromPage(r) },
				"another scheme": func(r *http.Request) { r.SetBasicAuth("operator", testToken) },
				"token as query": func(r *http.Request) { r.URL.RawQuery = "token=" + url.QueryEscape(testToken) },
				"wrong token":    withToken("wrong"),
			} {
				body := ""
				if c.method == "POST" {
					body = `{}`
				}
				if resp, text := o.call(c.method, "/api/v1/"+c.path, body, with); resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("with %s: %s %s", name, resp.Status, text)
				}
			}
		})
	}
}

func TestLoginAndLogout(t *testing.T) {
	o := open(t, nil)
	session, cookie := o.login(testToken, "anna")
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.MaxAge <= 0 || cookie.Path != "/" {
		t.Errorf("the cookie is %v", cookie)
	}
	if resp, text := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusOK {
		t.Fatalf("with a session: %s %s", resp.Status, text)
	}
	if resp, text := o.call("POST", "/api/v1/announce", `{"text":"hear"}`, session); resp.StatusCode != http.StatusOK {
		t.Fatalf("with a session: %s %s", resp.Status, text)
	}
	log, err := o.store.Audit(t.Context(), 0, 10)
	if err != nil || len(log) != 2 || log[0].By != "operator anna" || log[0].Via != "page" || log[1].Action != "login" {
		t.Errorf("the audit log is %+v, %v", log, err)
	}

	o.now.pass(sessionTime - time.Minute)
	if resp, _ := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusOK {
		t.Errorf("before its time: %s", resp.Status)
	}
	o.now.pass(sessionTime - time.Minute) // it has been used since
	if resp, _ := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusOK {
		t.Errorf("a session in use: %s", resp.Status)
	}
	o.now.pass(sessionTime + time.Minute)
	if resp, _ := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after its time: %s", resp.Status)
	}

	session, _ = o.login(testToken, "")
	resp, _ := o.call("DELETE", "/api/v1/session", "", session)
	if resp.StatusCode != http.StatusNoContent || len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge != -1 {
		t.Errorf("logout: %s %v", resp.Status, resp.Cookies())
	}
	if resp, _ := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the logout: %s", resp.Status)
	}
}

// TestCookieBehindTLS: a proxy that speaks TLS says so.
func TestCookieBehindTLS(t *testing.T) {
	o := open(t, nil)
	resp, _ := o.call("POST", "/api/v1/session", `{"token":"`+testToken+`"}`, func(r *http.Request) {
		fromPage(r)
		r.Header.Set("X-Forwarded-Proto", "https")
	})
	if len(resp.Cookies()) != 1 || !resp.Cookies()[0].Secure {
		t.Errorf("the cookies are %v", resp.Cookies())
	}
}

// TestOtherSites: what a browser sends from elsewhere does nothing, even with the
// operator's cookie.
func TestOtherSites(t *testing.T) {
	o := open(t, nil)
	bob := o.enter("bob", "192.0.2.1", 0, 0)
	_, cookie := o.login(testToken, "")
	for _, c := range []struct {
		name   string
		status int
		with   func(*http.Request)
	}{
		{"a form", http.StatusForbidden, func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}},
		{"a page of the same host and another port", http.StatusForbidden, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-site")
			r.Header.Set(pageHeader, "1")
		}},
		{"an old browser", http.StatusForbidden, func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }},
		{"without our header", http.StatusForbidden, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }},
		{"as plain text", http.StatusUnsupportedMediaType, func(r *http.Request) {
			fromPage(r)
			r.Header.Set("Content-Type", "text/plain")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, text := o.call("POST", "/api/v1/kick", `{"name":"bob"}`, func(r *http.Request) {
				r.AddCookie(cookie)
				c.with(r)
			})
			if resp.StatusCode != c.status {
				t.Errorf("%s %s, want %d", resp.Status, text, c.status)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("other origins are let in")
			}
		})
	}
	resp, _ := o.call("POST", "/api/v1/session", `{"token":"`+testToken+`"}`, nil)
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a login that is not the page's: %s", resp.Status)
	}
	select {
	case why := <-bob.gone:
		t.Errorf("bob was closed: %s", why)
	default:
	}
}

// TestGuessing: a wrong token makes its address wait, longer each time; who waits
// is not looked at, the right token after the wait opens and forgives.
func TestGuessing(t *testing.T) {
	o := open(t, nil)
	try := func(token string, want int) {
		t.Helper()
		if resp, text := o.call("GET", "/api/v1/status", "", withToken(token)); resp.StatusCode != want {
			t.Errorf("%q: %s %s, want %d", token, resp.Status, text, want)
		} else if want == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		try("wrong", http.StatusUnauthorized)
		try("wrong", http.StatusTooManyRequests)
		o.now.pass(wait*time.Second - time.Millisecond)
		try(testToken, http.StatusTooManyRequests)
		o.now.pass(2 * time.Millisecond)
	}
	try(testToken, http.StatusOK)
	try("wrong", http.StatusUnauthorized)
	o.now.pass(time.Second)
	try(testToken, http.StatusOK)
	if n := o.admin.LoginFailures(); n != 9 {
		t.Errorf("%d failures counted, want 9", n)
	}
}

// TestDoorsAreBounded: neither guessers nor logins fill the memory.
func TestDoorsAreBounded(t *testing.T) {
	o := open(t, nil)
	d := &o.admin.doors
	addr := guesserKey(peerOf("192.0.2.1"))
	for i := range 3 * maxGuessers {
		a := peerOf("10.0.0.0").As4()
		a[2], a[3] = byte(i>>8), byte(i)
		if _, err := d.check(t.Context(), addrFrom4(a), "wrong"); err != errWrongToken {
			t.Fatal(err)
		}
		o.now.pass(time.Millisecond)
	}
	for range 3 * maxSessions {
		d.open(hashed(testToken), "")
	}
	if len(d.guessers) > maxGuessers || len(d.sessions) > maxSessions || d.guessers[addr] != nil {
		t.Errorf("%d guessers and %d sessions are remembered", len(d.guessers), len(d.sessions))
	}
}

// TestTokenOfTheDatabase: it is made once, kept as a hash, and a new one ends the
// sessions of the old.
func TestTokenOfTheDatabase(t *testing.T) {
	o := open(t, func(cfg *Config) { cfg.Token = "" })
	if resp, text := o.call("GET", "/api/v1/status", "", withToken("")); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "no token") {
		t.Errorf("without a token: %s %s", resp.Status, text)
	}
	token, err := EnsureToken(t.Context(), o.store)
	if err != nil || len(token) < 40 {
		t.Fatalf("%q, %v", token, err)
	}
	if again, err := EnsureToken(t.Context(), o.store); again != "" || err != nil {
		t.Errorf("the second time: %q, %v", again, err)
	}
	if kept, err := o.store.Setting(t.Context(), tokenSetting); err != nil || kept == "" || strings.Contains(kept, token) {
		t.Errorf("kept as %q, %v", kept, err)
	}
	session, _ := o.login(token, "")
	if resp, _ := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusOK {
		t.Fatalf("with the token: %s", resp.Status)
	}
	fresh, err := NewToken(t.Context(), o.store, "command")
	if err != nil || fresh == token {
		t.Fatal(err)
	}
	if resp, _ := o.call("GET", "/api/v1/status", "", session); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a session of the old token: %s", resp.Status)
	}
	o.login(fresh, "")
	if resp, _ := o.call("GET", "/api/v1/status", "", withToken(token)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old token: %s", resp.Status)
	}
}

// TestPage: everything that it consists of is there, and may only do what it must.
func TestPage(t *testing.T) {
	o := open(t, nil)
	for path, kind := range map[string]string{
		"/": "text/html", "/style.css": "text/css", "/js/main.js": "text/javascript", "/icon.svg": "image/svg+xml",
	} {
		resp, text := o.call("GET", path, "", nil)
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || text == "" {
			t.Errorf("%s: %s %s", path, resp.Status, resp.Header.Get("Content-Type"))
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: the headers are %v", path, resp.Header)
		}
		for _, forbidden := range []string{"http://", "https://", "style=", "onclick", "innerHTML", "eval("} {
			text = strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, "")
			if strings.Contains(text, forbidden) {
				t.Errorf("%s has %q in it", path, forbidden)
			}
		}
	}
	for path, status := range map[string]int{"/js/": 404, "/nothing": 404, "/api/v1/nothing": 404, "/../admin.go": 404} {
		if resp, _ := o.call("GET", path, "", nil); resp.StatusCode != status {
			t.Errorf("%s: %s, want %d", path, resp.Status, status)
		}
	}
}
