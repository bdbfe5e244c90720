package server_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/weir-gateway/weir/sim"
)

// leavesNothing checks at the end of a test, behind everything that it cleans
// up, that goroutines, open files and memory are back where they began.
func leavesNothing(t *testing.T) {
	t.Helper()
	t.Run("warm up", func(t *testing.T) { // what is made once is not a leak
		_, yaml := upstream(t, sim.ServerOptions{})
		f := start(t, yaml, nil)
		for _, face := range clientFaces {
			path, body := face.call("oai/m", true)
			f.post(path, body)
		}
	})
	goroutines, files, heap := settled(-1, -1, 0)
	t.Cleanup(func() {
		const slack = 8 << 20
		g, n, h := settled(goroutines, files, heap+slack)
		if g > goroutines || n > files || h > heap+slack {
			t.Errorf("left behind: %d goroutines (%d before), %d files (%d), %d KiB (%d)", g, goroutines, n, files, h>>10, heap>>10)
		}
	})
}

// settled is what is in use once it is no more than the limits, or does not get
// less. Files are -1 where the system does not tell.
func settled(goroutines, files int, heap uint64) (int, int, uint64) {
	end := time.Now().Add(10 * time.Second)
	if goroutines < 0 {
		end = time.Now().Add(200 * time.Millisecond)
	}
	for {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		g, n := runtime.NumGoroutine(), openFiles()
		if g <= goroutines && n <= files && m.HeapAlloc <= heap || time.Now().After(end) {
			return g, n, m.HeapAlloc
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(list)
}
