// Package threadtest is the contract of thread.Store as tests. Every store runs
// it against the real thing. Begin with Suite.
package threadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-gateway/weir/stage/thread"
)

// A Suite is the contract of thread.Store.
type Suite struct {
	// New makes an empty store, or one whose leftovers cannot meet the keys of
	// the suite; it is called for every part.
	New func(t *testing.T) thread.Store
	// Sleep lets time pass; nil is time.Sleep.
	Sleep func(time.Duration)
	// Unit is the shortest life that the store can tell from a longer one; 0 is
	// a second. The suite sleeps a few of it.
	Unit time.Duration
}

// Run runs the suite.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	if s.Sleep == nil {
		s.Sleep = time.Sleep
	}
	if s.Unit <= 0 {
		s.Unit = time.Second
	}
	parts := []struct {
		name string
		run  func(*testing.T, thread.Store)
	}{
		{"a value is kept byte for byte", s.testValue},
		{"keys differ in every part", s.testKeys},
		{"swap compares", s.testSwap},
		{"of many that swap one succeeds", s.testSwapRace},
		{"a list keeps its order", s.testList},
		{"a page is a page in both directions", s.testPages},
		{"a list lives and dies with its value", s.testListLife},
		{"many append and nothing is torn", s.testAppendRace},
		{"what expires is gone", s.testExpiry},
		{"what is used lives longer", s.testExtend},
		{"a context that has ended is an error", s.testContext},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.run(t, s.New(t)) })
	}
}

const life = time.Hour

func key(id string) thread.Key {
	return thread.Key{Tenant: "suite", Kind: thread.KindConversation, ID: id}
}

func put(t *testing.T, s thread.Store, k thread.Key, value string, ttl time.Duration) {
	t.Helper()
	if err := s.Put(t.Context(), k, []byte(value), ttl); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func want(t *testing.T, s thread.Store, k thread.Key, value string) {
	t.Helper()
	got, err := s.Get(t.Context(), k, 0)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	if string(got) != value || (got == nil) != (value == "") {
		t.Errorf("%v holds %q, want %q", k, got, value)
	}
}

func (s Suite) testValue(t *testing.T, store thread.Store) {
	want(t, store, key("a"), "")
	binary := "\x00\xff\n\"'\\%;--日本"
	put(t, store, key("a"), binary, life)
	want(t, store, key("a"), binary)
	put(t, store, key("a"), "two", life)
	want(t, store, key("a"), "two")
	large := string(bytes.Repeat([]byte("0123456789abcdef"), 1<<16))
	put(t, store, key("large"), large, life)
	want(t, store, key("large"), large)
	got, _ := store.Get(t.Context(), key("a"), 0)
	got[0] = 'X'
	want(t, store, key("a"), "two")
	for _, expected := range []bool{true, false} {
		if there, err := store.Delete(t.Context(), key("a")); err != nil || there != expected {
			t.Errorf("delete: %t, %v", there, err)
		}
	}
	want(t, store, key("a"), "")
}

func (s Suite) testKeys(t *testing.T, store thread.Store) {
	odd := []string{"", "a", "a:b", "a/b", "a\x00b", "A", " a", "a%", "b:c", "é"}
	var keys []thread.Key
	for _, tenant := range odd {
		for _, kind := range []thread.Kind{thread.KindResponse, thread.KindBody} {
			for _, id := range odd[1:] {
				keys = append(keys, thread.Key{Tenant: tenant, Kind: kind, ID: id})
			}
		}
	}
	for i, k := range keys {
		put(t, store, k, fmt.Sprint("value ", i), life)
	}
	for i, k := range keys {
		want(t, store, k, fmt.Sprint("value ", i))
	}
}

func (s Suite) testSwap(t *testing.T, store thread.Store) {
	swap := func(old, value string, expected bool) {
		t.Helper()
		asBytes := func(s string) []byte {
			if s == "" {
				return nil
			}
			return []byte(s)
		}
		done, err := store.Swap(t.Context(), key("a"), asBytes(old), asBytes(value), life)
		if err != nil || done != expected {
			t.Errorf("swap of %q for %q: %t, %v", old, value, done, err)
		}
	}
	swap("one", "two", false)
	swap("", "one", true)
	swap("", "two", false)
	want(t, store, key("a"), "one")
	swap("two", "three", false)
	swap("one", "two", true)
	want(t, store, key("a"), "two")
	swap("one", "", false)
	swap("two", "", true)
	want(t, store, key("a"), "")
}

func (s Suite) testSwapRace(t *testing.T, store thread.Store) {
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			done, err := store.Swap(t.Context(), key("a"), nil, []byte(strconv.Itoa(i)), life)
			if err != nil {
				t.Error(err)
			}
			if done {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 took what one can take", won.Load())
	}
}

func entries(ids ...string) []thread.Entry {
	out := make([]thread.Entry, len(ids))
	for i, id := range ids {
		out[i] = thread.Entry{ID: id, Value: []byte("value of " + id)}
	}
	return out
}

func wantList(t *testing.T, store thread.Store, k thread.Key, p thread.Page, more bool, ids ...string) {
	t.Helper()
	got, gotMore, err := store.List(t.Context(), k, p)
	if err != nil {
		t.Fatalf("list %+v: %v", p, err)
	}
	var gotIDs []string
	for _, e := range got {
		gotIDs = append(gotIDs, e.ID)
		if string(e.Value) != "value of "+e.ID {
			t.Errorf("entry %s holds %q", e.ID, e.Value)
		}
	}
	if !slices.Equal(gotIDs, ids) || gotMore != more {
		t.Errorf("list %+v: %v, more %t; want %v, more %t", p, gotIDs, gotMore, ids, more)
	}
}

func (s Suite) testList(t *testing.T, store thread.Store) {
	put(t, store, key("a"), "value", life)
	for _, ids := range [][]string{{"z", "y"}, {"b"}, {"a", "x", "c"}} {
		if there, err := store.Append(t.Context(), key("a"), entries(ids...), life); !there || err != nil {
			t.Fatalf("append: %t, %v", there, err)
		}
	}
	wantList(t, store, key("a"), thread.Page{}, false, "z", "y", "b", "a", "x", "c")
	for _, expected := range []bool{true, false} {
		if there, err := store.Remove(t.Context(), key("a"), "b"); there != expected || err != nil {
			t.Errorf("remove: %t, %v", there, err)
		}
	}
	wantList(t, store, key("a"), thread.Page{}, false, "z", "y", "a", "x", "c")
	put(t, store, key("a"), "another", life)
	wantList(t, store, key("a"), thread.Page{}, false, "z", "y", "a", "x", "c")
	wantList(t, store, key("other"), thread.Page{}, false)
}

func (s Suite) testPages(t *testing.T, store thread.Store) {
	put(t, store, key("a"), "value", life)
	if _, err := store.Append(t.Context(), key("a"), entries("1", "2", "3", "4", "5"), life); err != nil {
		t.Fatal(err)
	}
	wantList(t, store, key("a"), thread.Page{Limit: 2}, true, "1", "2")
	wantList(t, store, key("a"), thread.Page{Limit: 2, After: "2"}, true, "3", "4")
	wantList(t, store, key("a"), thread.Page{Limit: 2, After: "4"}, false, "5")
	wantList(t, store, key("a"), thread.Page{Limit: 5}, false, "1", "2", "3", "4", "5")
	wantList(t, store, key("a"), thread.Page{After: "5"}, false)
	wantList(t, store, key("a"), thread.Page{Limit: 2, Descending: true}, true, "5", "4")
	wantList(t, store, key("a"), thread.Page{Limit: 3, After: "4", Descending: true}, false, "3", "2", "1")
	if _, _, err := store.List(t.Context(), key("a"), thread.Page{After: "nowhere"}); !errors.Is(err, thread.ErrNoEntry) {
		t.Errorf("a page behind an unknown entry: %v", err)
	}
}

func (s Suite) testListLife(t *testing.T, store thread.Store) {
	if there, err := store.Append(t.Context(), key("a"), entries("1"), life); there || err != nil {
		t.Errorf("append without a value: %t, %v", there, err)
	}
	wantList(t, store, key("a"), thread.Page{}, false)
	put(t, store, key("a"), "value", life)
	if there, err := store.Append(t.Context(), key("a"), entries("1"), life); !there || err != nil {
		t.Errorf("append: %t, %v", there, err)
	}
	if _, err := store.Delete(t.Context(), key("a")); err != nil {
		t.Fatal(err)
	}
	put(t, store, key("a"), "value", life)
	wantList(t, store, key("a"), thread.Page{}, false)
}

func (s Suite) testAppendRace(t *testing.T, store thread.Store) {
	put(t, store, key("a"), "value", life)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			turn := entries(fmt.Sprint(i, " in"), fmt.Sprint(i, " out"))
			if _, err := store.Append(t.Context(), key("a"), turn, life); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, _, err := store.List(t.Context(), key("a"), thread.Page{})
	if err != nil || len(all) != 32 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	for i := 0; i < len(all); i += 2 {
		in, out := all[i].ID, all[i+1].ID
		if in[:len(in)-3] != out[:len(out)-4] {
			t.Errorf("%q is followed by %q: a turn was torn", in, out)
		}
	}
}

func (s Suite) testExpiry(t *testing.T, store thread.Store) {
	put(t, store, key("short"), "value", 2*s.Unit)
	put(t, store, key("long"), "value", life)
	if _, err := store.Append(t.Context(), key("short"), entries("1"), s.Unit); err != nil {
		t.Fatal(err)
	}
	want(t, store, key("short"), "value")
	s.Sleep(4 * s.Unit)
	want(t, store, key("short"), "")
	wantList(t, store, key("short"), thread.Page{}, false)
	want(t, store, key("long"), "value")
	if there, err := store.Append(t.Context(), key("short"), entries("2"), life); there || err != nil {
		t.Errorf("append to what has expired: %t, %v", there, err)
	}
	if done, err := store.Swap(t.Context(), key("short"), nil, []byte("new"), life); !done || err != nil {
		t.Errorf("swap of what has expired: %t, %v", done, err)
	}
}

func (s Suite) testExtend(t *testing.T, store thread.Store) {
	put(t, store, key("get"), "value", 2*s.Unit)
	put(t, store, key("append"), "value", 2*s.Unit)
	put(t, store, key("never shorter"), "value", life)
	if _, err := store.Get(t.Context(), key("get"), life); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), key("append"), entries("1"), life); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), key("never shorter"), s.Unit); err != nil {
		t.Fatal(err)
	}
	s.Sleep(4 * s.Unit)
	want(t, store, key("get"), "value")
	want(t, store, key("append"), "value")
	wantList(t, store, key("append"), thread.Page{}, false, "1")
	want(t, store, key("never shorter"), "value")
}

func (s Suite) testContext(t *testing.T, store thread.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, get := store.Get(ctx, key("a"), 0)
	put := store.Put(ctx, key("a"), []byte("value"), life)
	_, swap := store.Swap(ctx, key("a"), nil, []byte("value"), life)
	_, del := store.Delete(ctx, key("a"))
	_, add := store.Append(ctx, key("a"), entries("1"), life)
	_, _, list := store.List(ctx, key("a"), thread.Page{})
	_, remove := store.Remove(ctx, key("a"), "1")
	for name, err := range map[string]error{"get": get, "put": put, "swap": swap, "delete": del, "append": add, "list": list, "remove": remove} {
		if err == nil {
			t.Errorf("%s of a caller that has left succeeded", name)
		}
	}
	want(t, store, key("a"), "")
}
