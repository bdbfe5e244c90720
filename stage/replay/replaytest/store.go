// Package replaytest proves that a store keeps the contract of replay.Store.
// Every implementation runs TestStore in its own tests, against the real thing.
package replaytest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
)

// A Store is replay.Store: any implementation of that is one of this.
type Store interface {
	Get(ctx context.Context, keys []string) ([][]byte, error)
	Put(ctx context.Context, values map[string][]byte) error
}

// TestStore runs the suite. newStore makes a Store that is empty; it has room
// for 16 MiB and forgets nothing within the minute that the suite may take.
func TestStore(t *testing.T, newStore func() Store) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"has nothing at first", testEmpty},
		{"gives values back in the order of the keys", testOrder},
		{"replaces a value", testReplace},
		{"keeps bytes as they are", testBytes},
		{"keeps a large value", testLarge},
		{"takes many values at once", testMany},
		{"serves many callers at once", testConcurrent},
		{"ends with its context", testContext},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, newStore()) })
	}
}

func put(t *testing.T, s Store, values map[string][]byte) {
	t.Helper()
	if err := s.Put(t.Context(), values); err != nil {
		t.Errorf("put: %v", err)
	}
}

// expect checks values by key: nil for what is not there.
func expect(t *testing.T, s Store, keys []string, want [][]byte) {
	t.Helper()
	got, err := s.Get(t.Context(), keys)
	if err != nil || len(got) != len(want) {
		t.Errorf("get of %d keys: %d values, %v", len(keys), len(got), err)
		return
	}
	for i := range want {
		if (got[i] == nil) != (want[i] == nil) || !bytes.Equal(got[i], want[i]) {
			t.Errorf("%s: %d bytes, not the %d that were put", keys[i], len(got[i]), len(want[i]))
		}
	}
}

func testEmpty(t *testing.T, s Store) {
	expect(t, s, []string{"a", "b"}, [][]byte{nil, nil})
	expect(t, s, nil, nil)
	put(t, s, nil)
	expect(t, s, []string{"a"}, [][]byte{nil})
}

func testOrder(t *testing.T, s Store) {
	put(t, s, map[string][]byte{"a": []byte("1"), "b": []byte("2"), "c": []byte("3")})
	expect(t, s, []string{"c", "x", "a", "b", "a"}, [][]byte{[]byte("3"), nil, []byte("1"), []byte("2"), []byte("1")})
}

func testReplace(t *testing.T, s Store) {
	put(t, s, map[string][]byte{"a": []byte("first"), "b": []byte("other")})
	put(t, s, map[string][]byte{"a": []byte("2nd")})
	expect(t, s, []string{"a", "b"}, [][]byte{[]byte("2nd"), []byte("other")})
}

func testBytes(t *testing.T, s Store) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	put(t, s, map[string][]byte{"all": all, "line ends": []byte("\r\n$-1\r\n"), "a key: with 堰": []byte("x")})
	expect(t, s, []string{"all", "line ends", "a key: with 堰"}, [][]byte{all, []byte("\r\n$-1\r\n"), []byte("x")})
}

func testLarge(t *testing.T, s Store) {
	large := bytes.Repeat([]byte("thinking "), 1<<20/9)
	put(t, s, map[string][]byte{"large": large})
	expect(t, s, []string{"large"}, [][]byte{large})
}

func testMany(t *testing.T, s Store) {
	values := map[string][]byte{}
	var keys []string
	var want [][]byte
	for i := range 1000 {
		key, value := fmt.Sprintf("key %d", i), fmt.Appendf(nil, "value %d", i)
		values[key] = value
		keys, want = append(keys, key), append(want, value)
	}
	put(t, s, values)
	expect(t, s, keys, want)
}

func testConcurrent(t *testing.T, s Store) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			key, value := fmt.Sprintf("mine %d", i), fmt.Appendf(nil, "value %d", i)
			for range 20 {
				put(t, s, map[string][]byte{key: value, "shared": []byte("same")})
				expect(t, s, []string{key, "shared"}, [][]byte{value, []byte("same")})
			}
		})
	}
	wg.Wait()
}

// testContext asks with a context that has ended: an error or an answer, and
// either comes at once; a hang ends by the time-out of the test.
func testContext(t *testing.T, s Store) {
	put(t, s, map[string][]byte{"a": []byte("1")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := s.Get(ctx, []string{"a"}); err == nil && (len(got) != 1 || string(got[0]) != "1") {
		t.Errorf("no error, and %q", got)
	}
	_ = s.Put(ctx, map[string][]byte{"a": []byte("2")}) // may fail, may not hang
	got, err := s.Get(t.Context(), []string{"a"})
	if err != nil || len(got) != 1 || string(got[0]) != "1" && string(got[0]) != "2" {
		t.Errorf("afterwards %q, %v", got, err)
	}
}
