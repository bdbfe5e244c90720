package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// footprint is what the gateway takes beside CPU time.
type footprint struct {
	starts     []float64 // seconds from exec to the first answer
	idle       float64   // MiB after a few requests and a moment of rest
	streams    *loaded   // with 1000 streams open
	baseIdle   float64
	baseStream *loaded
	binary     int64 // bytes
}

// Of the footprint's measurements.
const (
	starts   = 10
	restTime = 2 * time.Second
)

// thousand keeps 1000 streams open, a chunk every 200 ms each, for longer than
// one of them lasts.
var thousand = cell{
	name: "streams-1000", api: "openai", perChunk: true,
	upstream: "delay=0&chunks=20&gap=200ms",
	load:     []string{"-stream", "-chunks", "20", "-conns", "1000", "-ramp", "1s", "-warmup", "1500ms", "-duration", "5s"},
}

func (b *bench) footprint(ctx context.Context) (*footprint, error) {
	f := &footprint{}
	if info, err := os.Stat(b.options.weir); err == nil {
		f.binary = info.Size()
	}
	if err := b.control(ctx, still); err != nil {
		return nil, err
	}
	progress("start to first answer")
	for range starts {
		took, err := b.timeStart(ctx)
		if err != nil {
			return nil, err
		}
		f.starts = append(f.starts, took.Seconds())
	}
	return f, b.memory(ctx, f)
}

// memory measures fresh processes: first idle, then under streams.
func (b *bench) memory(ctx context.Context, f *footprint) error {
	progress("memory, idle and with 1000 streams")
	if err := b.startTargets(ctx, quiet); err != nil {
		return err
	}
	defer b.stopTargets()
	for _, t := range two {
		if err := b.try(ctx, &plan[0], t); err != nil {
			return fmt.Errorf("memory, %s: %w", t, err)
		}
	}
	time.Sleep(restTime)
	f.idle, f.baseIdle = rss(b.running[same].pid()), rss(b.running[baseline].pid())
	if err := b.control(ctx, thousand.upstream); err != nil {
		return err
	}
	var err error
	if f.baseStream, err = b.load(ctx, &thousand, baseline); err != nil {
		return err
	}
	f.streams, err = b.load(ctx, &thousand, same)
	return err
}

// timeStart is the time from exec to the first model call answered with 200.
func (b *bench) timeStart(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	began := time.Now()
	p, err := b.startWeir(ctx, quiet)
	if err != nil {
		return 0, err
	}
	defer p.kill()
	for {
		status, err := b.ask(ctx, client)
		if status == http.StatusOK {
			return time.Since(began), nil
		}
		if err == nil {
			return 0, fmt.Errorf("the first answer had status %d", status)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("no answer in time: %w", err)
		case <-time.After(time.Millisecond):
		}
	}
}

func (b *bench) ask(ctx context.Context, client *http.Client) (int, error) {
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hello"}]}`, chatModel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.weirAddr+path("openai"), strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+gatewayKey)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
