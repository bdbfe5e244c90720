package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// A mood is how a client behaves.
type mood uint8

const (
	plain    mood = iota // reads its answer
	hasty                // is gone after a moment
	sluggish             // reads slowly
	again                // sends its request twice, with an Idempotency-Key
)

// A face is one protocol of clients.
type face struct {
	name, path, streamPath, body string
	end                          string // what the end of a stream holds
}

const question = `"messages":[{"role":"user","content":"tell me about rivers, number %[2]d"}]`

var faces = []face{
	{"chat", "/v1/chat/completions", "", `{"model":"%[1]s","stream":%[3]t,` + question + `}`, "[DONE]"},
	{"responses", "/v1/responses", "", `{"model":"%[1]s","stream":%[3]t,"input":"tell me about rivers, number %[2]d"}`, `"response.completed"`},
	{"messages", "/v1/messages", "", `{"model":"%[1]s","max_tokens":200,"stream":%[3]t,` + question + `}`, `"message_stop"`},
	{"gemini", "/v1beta/models/%s:generateContent", "/v1beta/models/%s:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"tell me about rivers, number %[2]d"}]}],"labels":{"m":"%[1]s","s":"%[3]t"}}`, `"finishReason"`},
	{"ollama", "/api/chat", "", `{"model":"%[1]s","stream":%[3]t,` + question + `}`, `"done":true`},
}

var models = []string{"usual", "usual", "goes-on", "alone"}

// A client asks one thing after the other. Not safe for concurrent use.
type client struct {
	world *world
	rng   *rand.Rand
	asked int
	id    int
}

func newClient(w *world, id int) *client {
	return &client{world: w, id: id, rng: rand.New(rand.NewPCG(1, uint64(id)))}
}

func (c *client) mood() mood {
	switch n := c.rng.IntN(100); {
	case n < 15:
		return hasty
	case n < 20:
		return sluggish
	case n < 25:
		return again
	}
	return plain
}

func (c *client) pause() time.Duration { return time.Duration(c.rng.IntN(200)) * time.Millisecond }

// ask makes a request, and says in a word what came of it.
func (c *client) ask(ctx context.Context, m mood) string {
	f, stream := faces[c.rng.IntN(len(faces))], c.rng.IntN(3) > 0
	model := models[c.rng.IntN(len(models))]
	c.asked++
	// Some ask the same thing at the same time, for which one call is enough.
	number := c.id*1_000_000 + c.asked
	if c.rng.IntN(10) == 0 {
		number = c.rng.IntN(3)
	}
	body := fmt.Appendf(nil, f.body, model, number, stream)
	key := ""
	if m == again {
		key = fmt.Sprintf("soak-%d-%d", c.id, c.asked)
		c.call(ctx, &f, model, body, stream, hasty, key)
	}
	return c.call(ctx, &f, model, body, stream, m, key)
}

func (c *client) call(ctx context.Context, f *face, model string, body []byte, stream bool, m mood, key string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if m == hasty {
		defer time.AfterFunc(time.Duration(c.rng.IntN(400))*time.Millisecond, cancel).Stop()
	}
	path := f.path
	if stream && f.streamPath != "" {
		path = f.streamPath
	}
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, model)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.world.gateway+path, bytes.NewReader(body))
	if err != nil {
		return strange + err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.world.http.Do(req)
	if err != nil {
		return failed(ctx, m, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := read(resp.Body, m)
	if err != nil {
		return failed(ctx, m, err)
	}
	return judged(f, resp.StatusCode, stream, text)
}

func read(r io.Reader, m mood) (string, error) {
	if m != sluggish {
		text, err := io.ReadAll(r)
		return string(text), err
	}
	var text bytes.Buffer
	for {
		if _, err := io.CopyN(&text, r, 256); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return text.String(), err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

const (
	answered = "answered"
	vanished = "the client went away"
	// strange begins what no client may see.
	strange = "STRANGE: "
)

func failed(ctx context.Context, m mood, err error) string {
	if m == hasty && ctx.Err() != nil {
		return vanished
	}
	var text string
	if text = err.Error(); len(text) > 80 {
		text = text[len(text)-80:]
	}
	return strange + text
}

var kind = regexp.MustCompile(`"(?:code|type|status)":\s*"([a-z_A-Z]*(?:error|ERROR|failed|unavailable|UNAVAILABLE|INTERNAL|limit|timeout|overloaded|EXCEEDED|EXHAUSTED)[a-z_A-Z]*)"`)

// kindOf is the most telling word of an error, with a space before it; empty when
// there is none. Messages and Responses say that it is one before they say which.
func kindOf(text string) string {
	for _, k := range kind.FindAllStringSubmatch(text, -1) {
		if k[1] != "error" && k[1] != "failed" {
			return " " + k[1]
		}
	}
	return ""
}

// judged says what a client makes of an answer that has come to an end.
func judged(f *face, status int, stream bool, text string) string {
	name := kindOf(text)
	switch {
	case status != http.StatusOK && strings.Contains(text, "error"):
		return fmt.Sprintf("error %d%s", status, name)
	case status != http.StatusOK:
		return fmt.Sprintf("%sa status of %d without an error", strange, status)
	case !stream || strings.Contains(text, f.end):
		return answered
	case strings.Contains(text, "error"):
		return "error within the stream" + name
	}
	return strange + "a stream of " + f.name + " that ends without a word"
}
