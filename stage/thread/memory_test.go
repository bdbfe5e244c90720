package thread_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
	"github.com/weir-gateway/weir/stage/thread/threadtest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	threadtest.Suite{
		New:   func(*testing.T) thread.Store { return thread.NewMemory(thread.MemoryOptions{}) },
		Unit:  5 * time.Millisecond,
		Sleep: time.Sleep,
	}.Run(t)
}

func memoryKey(tenant string, i int) thread.Key {
	return thread.Key{Tenant: tenant, Kind: thread.KindResponse, ID: strconv.Itoa(i)}
}

func TestMemoryIsBounded(t *testing.T) {
	m := thread.NewMemory(thread.MemoryOptions{MaxBytes: 1 << 20, MaxPerTenant: 1 << 19})
	value := make([]byte, 10<<10)
	mustPut := func(k thread.Key) {
		t.Helper()
		if err := m.Put(t.Context(), k, value, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	there := func(k thread.Key) bool {
		got, err := m.Get(t.Context(), k, 0)
		return err == nil && got != nil
	}
	mustPut(memoryKey("quiet", 0))
	for i := range 1000 {
		mustPut(memoryKey("busy", i))
		if i%7 == 0 && !there(memoryKey("busy", 0)) {
			t.Fatal("what is used all the time was pushed out")
		}
	}
	if m.Bytes() > 1<<20 {
		t.Errorf("%d bytes are kept", m.Bytes())
	}
	if !there(memoryKey("quiet", 0)) {
		t.Error("one tenant has pushed another out")
	}
	if there(memoryKey("busy", 500)) || !there(memoryKey("busy", 999)) {
		t.Error("it was not the longest unused that went")
	}
	for tenant := range 10 {
		for i := range 20 {
			mustPut(memoryKey(fmt.Sprint("many ", tenant), i))
		}
	}
	if m.Bytes() > 1<<20 {
		t.Errorf("%d bytes are kept for many tenants", m.Bytes())
	}
}

func TestMemoryRefusesWhatIsTooLarge(t *testing.T) {
	m := thread.NewMemory(thread.MemoryOptions{MaxBytes: 1 << 16, MaxPerTenant: 1 << 12})
	k := memoryKey("a", 1)
	if err := m.Put(t.Context(), k, make([]byte, 1<<13), time.Hour); !errors.Is(err, weir.KindTooLarge) {
		t.Errorf("put: %v", err)
	}
	if err := m.Put(t.Context(), k, []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	big := []thread.Entry{{ID: "1", Value: make([]byte, 1<<13)}}
	if _, err := m.Append(t.Context(), k, big, time.Hour); !errors.Is(err, weir.KindTooLarge) {
		t.Errorf("append: %v", err)
	}
	if all, _, err := m.List(t.Context(), k, thread.Page{}); err != nil || len(all) != 0 {
		t.Errorf("part of what was refused is there: %d, %v", len(all), err)
	}
}

func TestMemoryForgetsWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := thread.NewMemory(thread.MemoryOptions{})
		for i := range 100 {
			if err := m.Put(t.Context(), memoryKey("a", i), make([]byte, 1000), time.Duration(i+1)*time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		full := m.Bytes()
		time.Sleep(50 * time.Minute)
		if err := m.Put(t.Context(), memoryKey("b", 0), []byte("x"), time.Hour); err != nil {
			t.Fatal(err)
		}
		if m.Bytes() > full*6/10 {
			t.Errorf("%d of %d bytes are left after half of it has expired", m.Bytes(), full)
		}
		time.Sleep(51 * time.Minute)
		for i := range 100 {
			if got, _ := m.Get(t.Context(), memoryKey("a", i), 0); got != nil {
				t.Errorf("%d is still there", i)
			}
		}
		if _, err := m.Delete(t.Context(), memoryKey("b", 0)); err != nil || m.Bytes() != 0 {
			t.Errorf("%d bytes are left of nothing", m.Bytes())
		}
	})
}
