package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// browser is a real one, with the operator's page open.
type browser struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	troubles []string // what its console complained of
}

// openBrowser starts Chromium without a window. The test is skipped, loudly,
// where there is none.
func openBrowser(t testing.TB) *browser {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := exec.LookPath(path); err != nil {
		t.Skipf("SKIPPED, the operator's page is not tested in a browser: no %s (Debian's package chromium, or CHROMIUM=path)", path)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 900),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	var listening sync.WaitGroup
	console := chromedp.Console(ctx) // starts the browser
	listening.Go(func() {
		for message, err := range console {
			if err != nil {
				return // closed
			}
			// Refusals of the server are part of the test.
			if (message.Type == chromedp.ConsoleError || message.IsException()) && !strings.HasPrefix(message.Text, "Failed to load resource: the server responded with a status of 4") {
				b.mu.Lock()
				b.troubles = append(b.troubles, message.String())
				b.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			b.picture("failed")
		}
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
		listening.Wait()
	})
	return b
}

type step = chromedp.Action[chromedp.Void]

// do carries out steps in the page, for which it has so much patience.
func (b *browser) do(what string, steps ...step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v; the console: %v", what, err, b.complaints())
	}
}

// js runs JavaScript in the page.
func (b *browser) js(what, script string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](script+"; null")); err != nil {
		b.t.Fatalf("%s: %v; the console: %v", what, err, b.complaints())
	}
}

// sees waits until an expression of JavaScript is true.
func (b *browser) sees(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[any](expression)); err != nil {
		b.t.Fatalf("never seen: %s: %v; the console: %v", what, err, b.complaints())
	}
}

func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.troubles
}

// picture keeps what is to be seen, when TAVERN_SHOTS names a folder for it.
func (b *browser) picture(name string) {
	folder := os.Getenv("TAVERN_SHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		_ = os.WriteFile(filepath.Join(folder, "operator-"+name+".png"), png, 0o644)
	}
}

// rowOf is JavaScript for the row of a list that begins with
// a name.
func rowOf(list, name string) string {
	return `[...document.querySelectorAll("#` + list + ` tr")].find((tr) => tr.cells[0].textContent.startsWith("` + name + `"))`
}

// press clicks a button of somebody's row.
func (b *browser) press(list, name, button string) {
	b.t.Helper()
	b.sees(name+" in "+list, `!!(`+rowOf(list, name)+`)`)
	b.js("press "+button, `[...(`+rowOf(list, name)+`).querySelectorAll("button")].find((b) => b.textContent === "`+button+`").click()`)
}

// TestOperatorsPage logs in to the page in a real browser and looks after the
// players that it sees there.
func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := startOffice(t)
	ann, _ := enter(t, s.testServer, "ann")
	bob, _ := enter(t, s.testServer, "bob")
	eve, _ := enter(t, s.testServer, `eve`)

	b.do("open", chromedp.Navigate("http://"+s.admin+"/"), chromedp.WaitVisible("#login"))
	b.do("a wrong token", chromedp.SendKeys("#token", "a wrong token"), chromedp.Click("#login-form button"))
	b.sees("the refusal", `document.querySelector("#login-error").textContent === "The token is wrong"`)
	until(t, "a try is allowed again", func() bool {
		status, _ := s.request("GET", "status", "")
		return status == 200
	})
	b.do("log in", chromedp.SetValue("#token", officeToken), chromedp.SendKeys("#operator", "anna"), chromedp.Click("#login-form button"),
		chromedp.WaitVisible("#office"))
	b.sees("a live link", `document.querySelector("#link").textContent === "live"`)
	b.sees("three players", `document.querySelectorAll("#players td.name").length === 3 && document.querySelector("#tab-players b").textContent === "3"`)
	b.sees("a graph", `document.querySelector(".chart canvas").getAttribute("aria-label").startsWith("People: players 3")`)
	b.sees("an address", rowOf("players", "ann")+`.cells[1].textContent === "127.0.0.1"`)
	b.picture("players")

	b.do("announce", chromedp.SendKeys("#announce-text", "last round"), chromedp.Click("#announce-form button"))
	ann.awaitChat("[Server]: last round")

	b.do("search", chromedp.SendKeys("#search", "bo"))
	b.sees("bob alone", `document.querySelectorAll("#players td.name").length === 1`)
	b.press("players", "bob", "Kick")
	b.do("give a reason", chromedp.WaitVisible("#act"), chromedp.SendKeys("#act-reason", "afk"), chromedp.Click("#act-do"))
	bob.expectExpelled("You were kicked: afk")
	b.sees("that he is gone", `document.querySelector("#players td.empty") !== null && !document.querySelector("#act").open`)
	b.js("search no more", `document.querySelector("#search").value = ""; document.querySelector("#search").dispatchEvent(new Event("input"))`)

	b.press("players", "ann", "Mute")
	b.do("mute", chromedp.WaitVisible("#act"), chromedp.SetValue("#act-for select", "1h"), chromedp.Click("#act-do"))
	ann.awaitChat("[Server]: You are muted for 1 hour")
	b.sees("the badge", rowOf("players", "ann")+`.cells[0].textContent.includes("muted")`)
	b.press("players", "ann", "Unmute")
	ann.awaitChat("[Server]: You may talk again")

	b.press("players", "eve", "Ban")
	b.do("choose how long", chromedp.WaitVisible("#act"), chromedp.SetValue("#act-for select", "other"))
	b.js("choose how long", `document.querySelector("#act-for select").dispatchEvent(new Event("change"))`)
	b.do("ban", chromedp.SendKeys("#act-for input", "soon"), chromedp.Click("#act-do"))
	b.sees("that soon is no duration", `document.querySelector("#act-error").textContent.includes("is no duration")`)
	b.do("ban", chromedp.SetValue("#act-for input", "36h"), chromedp.SendKeys("#act-reason", "<b>spam</b>"), chromedp.Click("#act-do"))
	if _, reason := eve.closedBy(); !strings.HasSuffix(reason, " UTC: <b>spam</b>") {
		t.Errorf("eve is closed with %q", reason)
	}
	b.sees("that the dialog has closed", `!document.querySelector("#act").open`)
	b.do("bans", chromedp.Click("#tab-bans"), chromedp.WaitVisible("#panel-bans"))
	b.sees("eve, and her reason as text", rowOf("bans", "eve")+`?.cells[2].textContent === "<b>spam</b>"`)
	b.picture("bans")
	b.press("bans", "eve", "Lift")
	b.sees("that nobody is banned", `document.querySelector("#bans td.empty") !== null`)
	b.do("ban an address", chromedp.SendKeys("#ban-form [name=who]", "198.51.100.7"), chromedp.Click("#ban-form button"))
	b.sees("the address", `!!(`+rowOf("bans", "198.51.100.7/32")+`)`)

	b.do("moderators", chromedp.Click("#tab-moderators"), chromedp.WaitVisible("#panel-moderators"), chromedp.SendKeys("#moderator-form [name=who]", "ann"), chromedp.Click("#moderator-form button"))
	ann.awaitChat("[Server]: You are a moderator now. /help tells what you can do")
	b.press("moderators", "ann", "Remove")
	ann.awaitChat("[Server]: You are no moderator any more")

	b.do("the audit log", chromedp.Click("#tab-audit"))
	b.sees("who did it", `[...document.querySelectorAll("#audit tr")].some((tr) => tr.textContent.includes("operator anna") && tr.textContent.includes("kick") && tr.textContent.includes("afk"))`)
	b.picture("audit")
	b.js("light", `document.documentElement.classList.contains("light") || document.querySelector("#theme").click()`)
	b.sees("the light theme", `document.documentElement.classList.contains("light")`)

	b.do("reload", chromedp.Reload(), chromedp.WaitVisible("#office")) // the session holds
	b.do("log out", chromedp.Click("#logout"), chromedp.WaitVisible("#login"))
	b.do("reload", chromedp.Reload(), chromedp.WaitVisible("#login"))
	if wrong := b.complaints(); len(wrong) > 0 {
		t.Errorf("the browser complains: %q", wrong)
	}
}
