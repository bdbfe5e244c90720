package share_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir/stage/share"
)

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, m := t.Context(), share.NewMemory(share.MemoryOptions{})
		claim := func(value string) string {
			there, err := m.Claim(ctx, "k", []byte(value), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return string(there)
		}
		if claim("a") != "" || claim("b") != "a" {
			t.Error("a claim was not kept, or given twice")
		}
		_ = m.Release(ctx, "k", []byte("b"))
		if claim("b") != "a" {
			t.Error("somebody else's claim was released")
		}
		_ = m.Release(ctx, "k", []byte("a"))
		if claim("b") != "" {
			t.Error("a claim was not released")
		}
		_ = m.Put(ctx, "k", []byte("c"), time.Hour)
		time.Sleep(time.Minute)
		if claim("d") != "c" || m.Len() != 1 {
			t.Error("a value was not kept")
		}
		time.Sleep(time.Hour)
		if claim("d") != "" {
			t.Error("a value has not expired")
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := share.MemoryOptions{MaxBytes: rapid.Int64Range(1, 5000).Draw(t, "bytes"), MaxEntries: rapid.IntRange(1, 10).Draw(t, "entries")}
		m := share.NewMemory(o)
		for i := range rapid.IntRange(0, 50).Draw(t, "steps") {
			key := strconv.Itoa(rapid.IntRange(0, 20).Draw(t, "key"))
			value := make([]byte, rapid.IntRange(1, 2000).Draw(t, "size"))
			ttl := time.Duration(rapid.IntRange(1, 1000).Draw(t, "ttl")) * time.Hour
			switch i % 3 {
			case 0:
				_ = m.Put(t.Context(), key, value, ttl)
			case 1:
				_, _ = m.Claim(t.Context(), key, value, ttl)
			default:
				_ = m.Release(t.Context(), key, value)
			}
			if m.Bytes() > o.MaxBytes || m.Len() > o.MaxEntries || m.Bytes() < 0 || (m.Len() == 0) != (m.Bytes() == 0) {
				t.Fatalf("%d bytes in %d entries, bounds %+v", m.Bytes(), m.Len(), o)
			}
		}
	})
}
