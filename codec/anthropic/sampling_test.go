package anthropic

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// P-03: Claude 4.x answers 400 to temperature beside top_p.
func TestTemperatureIsSentAloneWhereTheTwoAreRefused(t *testing.T) {
	either := codec.Quirks{TemperatureOrTopP: true}
	for _, tt := range []struct {
		name, body string
		q          codec.Quirks
		topP, loss bool
	}{
		{"both", `"temperature":0.5,"top_p":0.9`, either, false, true},
		{"both, where both are taken", `"temperature":0.5,"top_p":0.9`, codec.Quirks{}, true, false},
		{"top_p alone", `"top_p":0.9`, either, true, false},
		{"a temperature that is null", `"temperature":null,"top_p":0.9`, either, true, false},
		{"a temperature that is dropped", `"temperature":0.5,"top_p":0.9`,
			codec.Quirks{TemperatureOrTopP: true, DropParams: []string{"temperature"}}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &weir.Wire{Protocol: protocol, Body: []byte(`{"model":"m","max_tokens":5,` + tt.body + `,"messages":[]}`)}
			req, err := New().OpenRequest(weir.Generate, w)
			if err != nil {
				t.Fatal(err)
			}
			call, err := New().EncodeRequest(req, &codec.Target{Model: "m", Quirks: &tt.q})
			if err != nil {
				t.Fatal(err)
			}
			sent := string(bytes.Join(call.Body, nil))
			if strings.Contains(sent, "top_p") != tt.topP || (len(call.Losses) > 0) != tt.loss {
				t.Errorf("%s was sent, losses %v", sent, call.Losses)
			}
			req.Strict = true
			if _, err := New().EncodeRequest(req, &codec.Target{Model: "m", Quirks: &tt.q}); (err != nil) != tt.loss {
				t.Errorf("strict: %v", err)
			}
		})
	}
}
