package replay_test

import (
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/replay"
)

// T-06: state goes back to the deployment that made it.
func TestOrigin(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "east", replay.State, asks("a", question()), encrypted("from east"), calls(id1))
	says(t, store, "west", replay.State, asks("a", question()), encrypted("from west"), calls("call_9876543210"), calls(id2))
	says(t, store, "plain", replay.Text, asks("a", question()), thinks("text only"), calls("call_text_123456789"))
	tests := []struct {
		name, tenant string
		turns        []weir.Message
		want         string
	}{
		{"what the client sent back", "a", []weir.Message{assistant(encrypted("from east"))}, "east/m"},
		{"the newest", "a", []weir.Message{assistant(encrypted("from west")), question(), assistant(encrypted("from east"))}, "east/m"},
		{"what was kept for a client that cannot", "a", []weir.Message{assistant(calls(id1))}, "east/m"},
		{"a turn known by its later call", "a", []weir.Message{assistant(calls(id2))}, "west/m"},
		{"text is bound to nobody", "a", []weir.Message{assistant(calls("call_text_123456789"))}, ""},
		{"of unknown origin", "a", []weir.Message{assistant(encrypted("from nowhere"))}, ""},
		{"another tenant's", "b", []weir.Message{assistant(encrypted("from east"), calls(id1))}, ""},
		{"a user's block", "a", []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{encrypted("from east")}}}, ""},
		{"nothing", "a", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := store.Origin(asks(test.tenant, test.turns...))
			if got != test.want || ok != (test.want != "") {
				t.Errorf("%q, %t", got, ok)
			}
		})
	}
}
