package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldenFile is one file under testdata/golden; WIRE.md tells its form.
type goldenFile struct {
	Action string
	About  string
	Cases  []goldenCase
}

type goldenCase struct {
	Name      string
	Direction string
	Raw       string
	RawHex    string `json:"raw_hex"`
	// From a client: how it decodes.
	Payloads uint8
	Compact  bool
	Error    string
	// To a client: what makes it.
	Encoder string
	Input   goldenFields

	Fields goldenFields
}

// goldenFields has the fields of every action under the names that all golden
// files share.
type goldenFields struct {
	Username   string  `json:"username"`
	Password   string  `json:"password"`
	Sender     string  `json:"sender"`
	Text       string  `json:"text"`
	Reason     string  `json:"reason"`
	Name       string  `json:"name"`
	Avatar     uint8   `json:"avatar"`
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	ID         int64   `json:"id"`
	User       int64   `json:"user"`
	InstanceID int64   `json:"instance_id"`
	EntityID   int64   `json:"entity_id"`
}

func (c goldenCase) data(t testing.TB) []byte {
	t.Helper()
	if c.RawHex == "" {
		return []byte(c.Raw)
	}
	data, err := hex.DecodeString(c.RawHex)
	if err != nil {
		t.Fatalf("%s: raw_hex: %v", c.Name, err)
	}
	return data
}

// packet is what Decode should make of an accepted case.
func (c goldenCase) packet(action string) Packet {
	p := Packet{Action: actionNamed([]byte(action)), N: c.Payloads, Avatar: c.Fields.Avatar, X: c.Fields.X, Y: c.Fields.Y}
	switch {
	case p.Action == Chat && p.N == 1:
		p.S0 = c.Fields.Text
	case p.Action == Chat:
		p.S0, p.S1 = c.Fields.Sender, c.Fields.Text
	default:
		p.S0, p.S1 = c.Fields.Username, c.Fields.Password
	}
	return p
}

// golden reads all golden files by name.
func golden(t testing.TB) map[string]goldenFile {
	t.Helper()
	paths, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files (%v)", err)
	}
	files := make(map[string]goldenFile)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f goldenFile
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[filepath.Base(path)] = f
	}
	return files
}

var encoders = map[string]func(goldenFields) []byte{
	"Ok":            func(goldenFields) []byte { return AppendOk(nil) },
	"Deny":          func(f goldenFields) []byte { return AppendDeny(nil, f.Reason) },
	"Chat":          func(f goldenFields) []byte { return AppendChat(nil, f.Sender, f.Text) },
	"GuestChat":     func(f goldenFields) []byte { return AppendGuestChat(nil, f.Text) },
	"GuestChatFrom": func(f goldenFields) []byte { return AppendGuestChatFrom(nil, f.Sender, f.Text) },
	"Disconnect":    func(f goldenFields) []byte { return AppendDisconnect(nil, f.ID) },
	"Despawn":       func(f goldenFields) []byte { return AppendDespawn(nil, f.ID) },
	"Delta":         func(f goldenFields) []byte { return AppendDelta(nil, f.ID, f.InstanceID, f.X, f.Y) },
	"Model": func(f goldenFields) []byte {
		return AppendModel(nil, Model{
			ID: f.ID, User: f.User, InstanceID: f.InstanceID, EntityID: f.EntityID,
			X: f.X, Y: f.Y, Name: f.Name, Avatar: f.Avatar,
		})
	},
}

// clientReads takes a packet of the server's apart as a client does, with none
// of this package's code.
func clientReads(t testing.TB, packet []byte) (action string, f goldenFields) {
	t.Helper()
	var p struct {
		A      string
		P0, P1 json.RawMessage
	}
	must := func(data []byte, to any) {
		t.Helper()
		if err := json.Unmarshal(data, to); err != nil {
			t.Fatalf("%s: %v", packet, err)
		}
	}
	must(packet, &p)
	switch p.A {
	case "Deny":
		must(p.P0, &f.Reason)
	case "Chat":
		if p.P1 == nil {
			must(p.P0, &f.Text)
		} else {
			must(p.P0, &f.Sender)
			must(p.P1, &f.Text)
		}
	case "Disconnect", "Despawn":
		must(p.P0, &f.ID)
	case "ModelDelta":
		var m struct {
			ID, User        int64
			Avatar          uint8  `json:"avatar_id"`
			Type            string `json:"model_type"`
			InstancedEntity struct {
				ID     int64
				Type   string `json:"model_type"`
				X, Y   float64
				Entity struct {
					ID   int64
					Name string
					Type string `json:"model_type"`
				}
			} `json:"instanced_entity"`
		}
		must(p.P0, &m)
		body := m.InstancedEntity
		if m.Type != "Actor" || body.Type != "InstancedEntity" || (m.User != 0 && body.Entity.Type != "Entity") {
			t.Fatalf("%s: model types %q, %q, %q", packet, m.Type, body.Type, body.Entity.Type)
		}
		f = goldenFields{
			ID: m.ID, User: m.User, InstanceID: body.ID, EntityID: body.Entity.ID,
			X: body.X, Y: body.Y, Name: body.Entity.Name, Avatar: m.Avatar,
		}
	}
	return p.A, f
}

func TestGolden(t *testing.T) {
	for name, file := range golden(t) {
		for _, c := range file.Cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				switch {
				case c.Direction == "s2c":
					testGoldenOut(t, file, c)
				case c.Direction == "c2s" && c.Error == "":
					got, err := Decode(c.data(t))
					if want := c.packet(file.Action); err != nil || got != want {
						t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
					}
					var compact bytes.Buffer
					if err := json.Compact(&compact, c.data(t)); c.Compact && (err != nil || compact.String() != c.Raw) {
						t.Errorf("called compact but is not: %s", c.Raw)
					}
				case c.Direction == "c2s":
					got, err := Decode(c.data(t))
					e, _ := err.(*Error)
					if e == nil || e.Label != c.Error || got != (Packet{}) {
						t.Errorf("got %+v, %v; want error %s", got, err, c.Error)
					}
				default:
					t.Errorf("direction %q", c.Direction)
				}
			})
		}
	}
}

func testGoldenOut(t *testing.T, file goldenFile, c goldenCase) {
	t.Helper()
	encode := encoders[c.Encoder]
	if encode == nil {
		t.Fatalf("no encoder %q", c.Encoder)
	}
	if got := string(encode(c.Input)); got != c.Raw {
		t.Errorf("got  %s\nwant %s", got, c.Raw)
	}
	action, fields := clientReads(t, []byte(c.Raw))
	if action != file.Action || fields != c.Fields {
		t.Errorf("a client reads %s %+v\nwant %s %+v", action, fields, file.Action, c.Fields)
	}
}

// allErrors is every error that Decode may return.
var allErrors = []*Error{
	ErrPacketTooLong, ErrUTF8, ErrTooDeep, ErrNotJSON, ErrNotObject, ErrNoAction, ErrUnknownAction, ErrUnexpectedAction,
	ErrPayloadCount, ErrPayloadType, ErrNumber, ErrAvatar, ErrNameTooLong, ErrPasswordTooLong, ErrTooLong,
}

// The golden files are the contract: nothing may be missing from them.
func TestGoldenIsComplete(t *testing.T) {
	actions, labels, used := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, file := range golden(t) {
		actions[file.Action] = true
		for _, c := range file.Cases {
			labels[c.Error], used[c.Encoder] = true, true
		}
	}
	for a := Register; a <= Despawn; a++ {
		if !actions[a.String()] {
			t.Errorf("no file for action %v", a)
		}
	}
	for _, e := range allErrors {
		if !labels[e.Label] {
			t.Errorf("no case for error %s", e.Label)
		}
	}
	for name := range encoders {
		if !used[name] {
			t.Errorf("no case for encoder %s", name)
		}
	}
}

// WIRE.md must name what the code has, in the order the code judges by.
func TestWirePage(t *testing.T) {
	page, err := os.ReadFile("WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(page)
	for a := Register; a <= Despawn; a++ {
		if !strings.Contains(rest, "\n| `"+a.String()+"` |") {
			t.Errorf("no row for action %v", a)
		}
	}
	for _, e := range allErrors {
		var found bool
		if _, rest, found = strings.Cut(rest, "\n| `"+e.Label+"` | "+e.Reason+" |"); !found {
			t.Fatalf("no row for error %s, %q in its place", e.Label, e.Reason)
		}
	}
}
