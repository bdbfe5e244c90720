package replay_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/stage/replay/replaytest"
)

func TestMemoryIsAStore(t *testing.T) {
	replaytest.TestStore(t, func() replaytest.Store { return replay.NewMemory(replay.MemoryOptions{}) })
}

func TestMemoryForgetsWhatIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := replay.NewMemory(replay.MemoryOptions{TTL: time.Minute})
		put(t, m, "used", "1")
		put(t, m, "idle", "2")
		time.Sleep(40 * time.Second)
		look(t, m, "used", "1") // lives on
		time.Sleep(30 * time.Second)
		look(t, m, "idle", "")
		look(t, m, "used", "1")
		time.Sleep(time.Minute)
		look(t, m, "used", "")
		if m.Len() != 0 || m.Bytes() != 0 {
			t.Errorf("%d values of %d bytes", m.Len(), m.Bytes())
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	m := replay.NewMemory(replay.MemoryOptions{MaxEntries: 2})
	put(t, m, "a", "1")
	put(t, m, "b", "2")
	look(t, m, "a", "1") // b is the one not used for longest now
	put(t, m, "c", "3")
	look(t, m, "b", "")
	look(t, m, "a", "1")
	look(t, m, "c", "3")

	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 5000).Draw(t, "limit")
		m := replay.NewMemory(replay.MemoryOptions{MaxBytes: limit})
		for range rapid.IntRange(1, 40).Draw(t, "puts") {
			key := fmt.Sprint("key ", rapid.IntRange(0, 9).Draw(t, "key"))
			value := bytes.Repeat([]byte("x"), rapid.IntRange(0, 2000).Draw(t, "size"))
			if err := m.Put(t.Context(), map[string][]byte{key: value}); err != nil {
				t.Fatal(err)
			}
			if m.Bytes() > limit {
				t.Fatalf("%d bytes of %d", m.Bytes(), limit)
			}
			got, err := m.Get(t.Context(), []string{key})
			fits := int64(len(key)+len(value))+200 <= limit
			if err != nil || fits && !bytes.Equal(got[0], value) || !fits && got[0] != nil {
				t.Fatalf("%d bytes, fits %t: %d came back, %v", len(value), fits, len(got[0]), err)
			}
		}
	})
}

func put(t *testing.T, m *replay.Memory, key, value string) {
	t.Helper()
	if err := m.Put(t.Context(), map[string][]byte{key: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, m *replay.Memory, key, want string) {
	t.Helper()
	got, err := m.Get(t.Context(), []string{key})
	if err != nil || string(got[0]) != want {
		t.Errorf("%s: %q, %v", key, got[0], err)
	}
}
