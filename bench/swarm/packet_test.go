package swarm

import "testing"

func TestActionOf(t *testing.T) {
	for packet, want := range map[string]action{
		`{"a":"Ok"}`:               actOk,
		`{"a":"Deny","p0":"no"}`:   actDeny,
		`{"a":"Despawn","p0":3}`:   actDespawn,
		`{"a":"Disconnect","p0":}`: actDisconnect,
		`{"a":"Chat","p0":"hi"}`:   actChat,
		`{"a":"ModelDelta","p0":`:  actModel,
		`{"a":"Unheard","p0":1}`:   actUnknown,
		`{"p0":1,"a":"Ok"}`:        actUnknown,
		``:                         actUnknown,
		`{"a":"`:                   actUnknown,
	} {
		if got := actionOf([]byte(packet)); got != want {
			t.Errorf("%s is action %d, want %d", packet, got, want)
		}
	}
}

func TestParseModel(t *testing.T) {
	const (
		full  = `{"a":"ModelDelta","p0":{"id":12,"user":1,"instanced_entity":{"id":1,"x":-0.5,"y":12.25,"entity":{"id":1,"name":"alice","model_type":"Entity"},"model_type":"InstancedEntity"},"avatar_id":3,"model_type":"Actor"}}`
		delta = `{"a":"ModelDelta","p0":{"id":7,"model_type":"Actor","instanced_entity":{"id":1,"model_type":"InstancedEntity","x":2.8,"y":2.1}}}`
		// The order of keys is free.
		turned = `{"a":"ModelDelta","p0":{"instanced_entity":{"entity":{"name":"bob"},"y":4,"x":1e2},"id":9}}`
	)
	for _, tc := range []struct {
		name, packet string
		want         model
		ok           bool
	}{
		{"full", full, model{12, -0.5, 12.25, []byte("alice")}, true},
		{"delta", delta, model{7, 2.8, 2.1, nil}, true},
		{"other order", turned, model{9, 100, 4, []byte("bob")}, true},
		{"no place", `{"a":"ModelDelta","p0":{"id":7}}`, model{}, false},
		{"no id", `{"a":"ModelDelta","p0":{"instanced_entity":{"x":1,"y":1}}}`, model{}, false},
		{"cut off", full[:60], model{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := parseModel([]byte(tc.packet))
			if ok != tc.ok || got.ID != tc.want.ID || got.X != tc.want.X || got.Y != tc.want.Y || string(got.Name) != string(tc.want.Name) {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, tc.want, tc.ok)
			}
		})
	}
	if isFull([]byte(delta)) || !isFull([]byte(full)) {
		t.Error("a delta and a full model are not told apart")
	}
}

func TestReasonOf(t *testing.T) {
	if got := reasonOf([]byte(`{"a":"Deny","p0":"This username is already taken"}`)); !final[got] {
		t.Errorf("reason %q", got)
	}
	if got := reasonOf([]byte(`{"a":"Deny"}`)); got == "" {
		t.Error("a Deny without a reason has no name")
	}
}
