package sim_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/weirtest"
)

// await waits until a condition holds.
func await(t *testing.T, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !cond(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it never happened")
		}
	}
}

func frames(body []byte) int { return bytes.Count(body, []byte("\n\n")) }

// whole is a faultless streamed answer in a dialect, to compare with.
func whole(t *testing.T, d dialect) []byte {
	t.Helper()
	_, h := start(t, sim.ServerOptions{})
	_, body, err := post(t, h, d.path, d.request("m", true))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestFaultsInStreams(t *testing.T) {
	for name, d := range dialects {
		clean := whole(t, d)
		for fault, check := range map[string]func(t *testing.T, resp *http.Response, body []byte, err error){
			"cut=after:3": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || frames(body) != 3 {
					t.Errorf("%d frames, %v", frames(body), err)
				}
			},
			"cut=after:0": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusOK || len(body) != 0 {
					t.Errorf("%d %q, %v", resp.StatusCode, body, err)
				}
			},
			"cut=mid-frame": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || bytes.HasSuffix(body, []byte("\n\n")) || frames(body) != 2 {
					t.Errorf("%d frames, %v", frames(body), err)
				}
			},
			"drop=after:3": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if !errors.Is(err, io.ErrUnexpectedEOF) || frames(body) != 3 {
					t.Errorf("%d frames, %v", frames(body), err)
				}
			},
			"reset=after:3": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if !errors.Is(err, syscall.ECONNRESET) || frames(body) != 3 {
					t.Errorf("%d frames, %v", frames(body), err)
				}
			},
			"reset=before": func(t *testing.T, _ *http.Response, _ []byte, err error) {
				if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
					t.Error(err)
				}
			},
			"error=after:3": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || !bytes.Contains(body, []byte("simulated fault")) || bytes.Contains(body, []byte("[DONE]")) {
					t.Errorf("%s, %v", body, err)
				}
			},
			"malformed=frame": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || frames(body) != 3 || !bytes.HasSuffix(body, []byte("{\"con\n\n")) {
					t.Errorf("%s, %v", body, err)
				}
			},
			"no-done": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || frames(body) != frames(clean)-1 || bytes.Contains(body, []byte("[DONE]")) || bytes.Contains(body, []byte("message_stop")) {
					t.Errorf("%s, %v", body, err)
				}
			},
			"comments=2": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || bytes.Count(body, []byte(": keep-alive\n")) != 2*frames(clean) {
					t.Errorf("%s, %v", body, err)
				}
			},
			"choices-empty=2": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || frames(body) != frames(clean)+2 {
					t.Errorf("%s, %v", body, err)
				}
			},
			"big-line=300k": func(t *testing.T, _ *http.Response, body []byte, err error) {
				longest := 0
				for line := range bytes.Lines(body) {
					longest = max(longest, len(line))
				}
				if err != nil || longest < 300<<10 || longest > 301<<10 {
					t.Errorf("longest line %d, %v", longest, err)
				}
			},
			"trickle": func(t *testing.T, _ *http.Response, body []byte, err error) {
				if err != nil || frames(body) != frames(clean) {
					t.Errorf("%s, %v", body, err)
				}
			},
			"status=503;retry-after=2": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "2" || jsonx.Get(body, "error") == nil {
					t.Errorf("%v %s", resp, body)
				}
			},
			"502;body=html": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusBadGateway || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
					t.Errorf("%v %s", resp, body)
				}
			},
			"500;body=json":  func(t *testing.T, resp *http.Response, body []byte, err error) { statusOf(t, resp, 500, err) },
			"500;body=empty": func(t *testing.T, resp *http.Response, body []byte, err error) { statusOf(t, resp, 500, err) },
			"html": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<html>")) {
					t.Errorf("%v %s", resp, body)
				}
			},
			"empty": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusOK || len(body) != 0 {
					t.Errorf("%v %s", resp, body)
				}
			},
			"error-in-200": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusOK || jsonx.Get(body, "error") == nil {
					t.Errorf("%v %s", resp, body)
				}
			},
			"malformed=json": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusOK || jsonx.Valid(body) == nil {
					t.Errorf("%v %s", resp, body)
				}
			},
			"nonsense": func(t *testing.T, resp *http.Response, body []byte, err error) {
				if err != nil || resp.StatusCode != http.StatusBadRequest || !bytes.Contains(body, []byte("trickle")) {
					t.Errorf("%v %s", resp, body)
				}
			},
		} {
			t.Run(name+" "+fault, func(t *testing.T) {
				_, h := start(t, sim.ServerOptions{})
				resp, body, err := post(t, h, d.path, d.request("m", true), "X-Sim-Fault", fault)
				check(t, resp, body, err)
			})
		}
	}
}

func statusOf(t *testing.T, resp *http.Response, want int, err error) {
	t.Helper()
	if err != nil || resp.StatusCode != want {
		t.Errorf("%v %v", resp, err)
	}
}

func TestFaultsInWholeAnswers(t *testing.T) {
	for name, d := range dialects {
		for fault, check := range map[string]func(body []byte, err error) bool{
			"cut=after:20":    func(body []byte, err error) bool { return err == nil && len(body) == 20 },
			"cut=mid-frame":   func(body []byte, err error) bool { return err == nil && jsonx.Valid(body) != nil },
			"drop=after:20":   func(body []byte, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) && len(body) == 20 },
			"reset=after:20":  func(_ []byte, err error) bool { return errors.Is(err, syscall.ECONNRESET) },
			"malformed=frame": func(body []byte, err error) bool { return err == nil && jsonx.Valid(body) != nil },
			"error=after:1":   func(body []byte, err error) bool { return err == nil && jsonx.Get(body, "error") != nil },
			"big-line=100k":   func(body []byte, err error) bool { return err == nil && len(body) > 100<<10 },
			"trickle":         func(body []byte, err error) bool { return err == nil && jsonx.Valid(body) == nil },
		} {
			t.Run(name+" "+fault, func(t *testing.T) {
				_, h := start(t, sim.ServerOptions{})
				_, body, err := post(t, h, d.path, d.request("m", false), "X-Sim-Fault", fault)
				if !check(body, err) {
					t.Errorf("%s, %v", body, err)
				}
			})
		}
	}
}

func TestUsageFaultsInChat(t *testing.T) {
	d := dialects["chat"]
	_, h := start(t, sim.ServerOptions{})
	count := func(fault string) (chunks, withUsage, emptyChoices int) {
		_, body, err := post(t, h, d.path, d.request("m", true), "X-Sim-Fault", fault)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(body) {
			data, ok := bytes.CutPrefix(line, []byte("data: {"))
			if !ok {
				continue
			}
			data = append([]byte("{"), data...)
			chunks++
			if jsonx.KindOf(jsonx.Get(data, "usage")) == jsonx.KindObject {
				withUsage++
			}
			if string(jsonx.Get(data, "choices")) == "[]" {
				emptyChoices++
			}
		}
		return chunks, withUsage, emptyChoices
	}
	if _, with, empty := count("comments=1"); with != 1 || empty != 1 {
		t.Errorf("without a fault %d chunks have usage, %d no choices", with, empty)
	}
	if _, with, empty := count("usage=finish"); with != 1 || empty != 0 {
		t.Errorf("finish: %d chunks have usage, %d no choices", with, empty)
	}
	if _, with, empty := count("usage=never"); with != 0 || empty != 0 {
		t.Errorf("never: %d chunks have usage, %d no choices", with, empty)
	}
	if n, with, empty := count("usage=every"); with != n || empty != 0 {
		t.Errorf("every: %d of %d chunks have usage, %d no choices", with, n, empty)
	}
}

func TestFaultsForSomeTimes(t *testing.T) {
	s, h := start(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: "status=503;times=2", Model: "m"}}})
	d := dialects["chat"]
	var got []int
	for range 3 {
		resp, _, err := post(t, h, d.path, d.request("m", false))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, resp.StatusCode)
	}
	if got[0] != 503 || got[1] != 503 || got[2] != 200 || s.Stats().Faults["status=503;times=2"] != 2 {
		t.Errorf("statuses %v, %+v", got, s.Stats().Faults)
	}
}

func TestFaultsOnCommand(t *testing.T) {
	_, h := start(t, sim.ServerOptions{})
	d := dialects["messages"]
	status := func() int {
		resp, _, err := post(t, h, d.path, d.request("m", false))
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	for query, body := range map[string]string{"?fault=status%3D429&model=m": "", "": `{"fault":"429"}`} {
		if resp, out, err := post(t, h, "/_sim/faults"+query, body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v %s", err, out)
		}
		if got := status(); got != 429 {
			t.Errorf("after %s%s: %d", query, body, got)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, h.URL+"/_sim/faults", nil)
		resp, err := h.Client().Do(req)
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := status(); got != 200 {
			t.Errorf("after clearing: %d", got)
		}
	}
	for _, bad := range []string{`{"fault":"explode"}`, `{"faults":"500"}`, `{}`, `[`, ``} {
		if resp, out, err := post(t, h, "/_sim/faults", bad); err != nil || resp.StatusCode != http.StatusBadRequest || jsonx.Get(out, "error") == nil {
			t.Errorf("%s: %v %s", bad, err, out)
		}
	}
}

func TestStallHoldsTheSocketOpen(t *testing.T) {
	for name, d := range dialects {
		for _, fault := range []string{"stall=headers", "stall=after:2"} {
			t.Run(name+" "+fault, func(t *testing.T) {
				s, h := start(t, sim.ServerOptions{})
				done := make(chan error, 1)
				go func() {
					_, _, err := post(t, h, d.path, d.request("m", true), "X-Sim-Fault", fault)
					done <- err
				}()
				await(t, func() bool { return s.Stats().Faults[fault] == 1 })
				h.CloseClientConnections()
				if err := <-done; err == nil {
					t.Error("a stalled answer ended well")
				}
			})
		}
	}
}

// The server, its faults and its clients run on the bubble's clock. // delay, slow
func TestPausesUseTheClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := weirtest.NewMemory(t, sim.NewServer(sim.ServerOptions{}))
		defer m.Close()
		d := dialects["chat"]
		begin := time.Now()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+d.path, strings.NewReader(d.request("m", true)))
		req.Header.Set("X-Sim-Fault", "delay=10s;slow=1s")
		resp, err := m.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begin); waited != 11*time.Second {
			t.Errorf("the status line took %v", waited)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if want := time.Duration(10+frames(body)) * time.Second; err != nil || time.Since(begin) != want {
			t.Errorf("took %v, want %v, %v", time.Since(begin), want, err)
		}
		if _, err := d.read(resp, body, true); err != nil {
			t.Error(err)
		}
	})
}

func TestHandlerErrorsBecomeStatuses(t *testing.T) {
	for name, d := range dialects {
		for _, stream := range []bool{true, false} {
			_, h := start(t, sim.ServerOptions{Handler: failing{}})
			resp, body, err := post(t, h, d.path, d.request("m", stream))
			if err != nil || resp.StatusCode != http.StatusTooManyRequests || jsonx.Get(body, "error") == nil {
				t.Errorf("%s: %v %d %s", name, err, resp.StatusCode, body)
			}
		}
	}
}
