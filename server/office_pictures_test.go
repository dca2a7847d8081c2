package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
)

// TestOfficePictures takes the picture of the operator's page that the README
// shows, and some more, of an evening with 120 people who walk and talk:
//
//	TAVERN_SHOTS=/tmp/shots go test -run TestOfficePictures ./server
//
// The README's is operator.png there. What is to be seen differs a little every time.
func TestOfficePictures(t *testing.T) {
	if os.Getenv("TAVERN_SHOTS") == "" {
		t.Skip("TAVERN_SHOTS names no folder for pictures")
	}
	// A process of its own, so that what the page says is the server's alone.
	proc := startProcess(t, filepath.Join(t.TempDir(), "tavern.db"), "-limits", "off", "-admin", "127.0.0.1:0", "-admin-token", officeToken)
	s := &officeServer{testServer: &testServer{addr: proc.addr}, t: t}
	proc.mu.Lock()
	for _, line := range proc.log {
		if _, page, found := strings.Cut(line, `"address":"http://`); found {
			s.admin, _, _ = strings.Cut(page, "/")
		}
	}
	proc.mu.Unlock()
	b := openBrowser(t)
	b.do("size", chromedp.EmulateViewport(1280, 1040))
	b.do("open", chromedp.Navigate("http://"+s.admin+"/"), chromedp.WaitVisible("#login"))
	b.do("log in", chromedp.SetValue("#token", officeToken), chromedp.Click("#login-form button"), chromedp.WaitVisible("#office"))
	people := evening(t, s, 120)
	s.api("mute", `{"name":"`+people[3]+`","for":"30m","reason":"shouting"}`)
	s.api("mute", `{"name":"`+people[7]+`","for":"12h"}`)
	s.api("moderators", `{"name":"`+people[0]+`","moderator":true}`)
	s.api("ban", `{"name":"`+people[11]+`","for":"7d","reason":"selling gold"}`)
	s.api("ban", `{"address":"198.51.100.0/24","for":"2d","reason":"raid of Friday"}`)
	s.api("kick", `{"name":"`+people[9]+`","reason":"away from keyboard"}`)
	s.api("announce", `{"text":"The tournament begins at nine, at the fountain!"}`)

	full := time.NewTimer(70 * time.Second) // a minute of graphs
	defer full.Stop()
	<-full.C
	b.smallPicture("operator.png")
	for _, theme := range []string{"dark", "light"} {
		b.js(theme, `document.documentElement.classList.contains("light") === (`+fmt.Sprint(theme == "light")+`) || document.querySelector("#theme").click()`)
		b.picture("office-" + theme)
	}
	for _, tab := range []string{"bans", "moderators", "audit"} {
		b.do(tab, chromedp.Click("#tab-"+tab), chromedp.WaitVisible("#panel-"+tab))
		b.picture("office-" + tab)
	}
	b.do("players", chromedp.Click("#tab-players"), chromedp.WaitVisible("#panel-players"))
	b.do("search", chromedp.SendKeys("#search", people[3][:4]))
	b.press("players", people[3], "Ban")
	b.do("the dialog", chromedp.WaitVisible("#act"))
	b.picture("office-ban")
}

// evening fills the world with people who walk and talk until the test ends, and
// returns their names.
func evening(t *testing.T, s *officeServer, count int) []string {
	t.Helper()
	first := []string{"Wren", "Bram", "Mirel", "Tod", "Percival", "Ottilie", "Hazel", "Quill", "Sorrel", "Bertram", "Fern", "Ida", "Jasper", "Linnet", "Oswin"}
	last := []string{"Ashdown", "Barrow", "Copper", "Dale", "Ember", "Fox", "Gale", "Heath", "Ivory", "Jute", "Kestrel", "Lark", "Marsh", "North", "Oakes", "Pike"}
	places := [][2]int{{0, 0}, {-900, 500}, {1100, -700}, {300, 1200}} // most keep to a few
	names := make([]string, count)
	ctx, cancel := context.WithCancel(context.Background())
	var coming, there sync.WaitGroup
	t.Cleanup(func() { cancel(); there.Wait() })
	for i := range names {
		names[i] = first[i%len(first)] + " " + last[i%len(last)]
		coming.Add(1)
		there.Go(func() {
			from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+i%40), byte(2+i%7))}}
			way := &http.Client{Transport: &http.Transport{DialContext: from.DialContext, DisableKeepAlives: true}}
			ws, _, err := websocket.Dial(ctx, "ws://"+s.addr+"/", &websocket.DialOptions{HTTPClient: way})
			if err != nil {
				t.Error(err)
				coming.Done()
				return
			}
			defer ws.CloseNow()
			say := func(format string, args ...any) error {
				return ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...))
			}
			_ = say(`{"a":"Register","p0":%q,"p1":"a password"}`, names[i])
			_ = say(`{"a":"Login","p0":%q,"p1":"a password"}`, names[i])
			there.Go(func() { stroll(ctx, say, names[i], places[i%len(places)]) })
			// What they hear is not looked at: the processor is the browser's.
			for heard := 0; ; heard++ {
				_, in, err := ws.Reader(ctx)
				if heard == 1 || err != nil && heard < 2 { // the answer to the login
					coming.Done()
				}
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, in)
			}
		})
	}
	coming.Wait()
	return names
}

// stroll walks about a place and says something now and then.
func stroll(ctx context.Context, say func(string, ...any) error, name string, place [2]int) {
	talk := []string{"hello!", "who comes to the windmill?", "the pond is lovely today", "one more round", "has anybody seen my hat?", "good evening", "ha!"}
	step := time.NewTicker(time.Duration(2000+rand.N(4000)) * time.Millisecond)
	defer step.Stop()
	for {
		_ = say(`{"a":"Target","p0":%d,"p1":%d}`, place[0]+int(300*rand.NormFloat64()), place[1]+int(300*rand.NormFloat64()))
		if rand.N(6) == 0 {
			_ = say(`{"a":"Chat","p0":%q,"p1":%q}`, name, talk[rand.N(len(talk))])
		}
		select {
		case <-ctx.Done():
			return
		case <-step.C:
		}
	}
}

// smallPicture is picture in 256 colours, small enough to be kept in a repository.
func (b *browser) smallPicture(file string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.t.Fatal(err)
	}
	often := make(map[color.Color]int)
	for y := range full.Bounds().Dy() {
		for x := range full.Bounds().Dx() {
			often[full.At(x, y)]++
		}
	}
	shades := slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int { return often[b] - often[a] })
	small := image.NewPaletted(full.Bounds(), shades[:min(len(shades), 256)])
	draw.Draw(small, small.Bounds(), full, image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("TAVERN_SHOTS"), file), out.Bytes(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}
