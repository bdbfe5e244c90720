package gemini

import (
	"bytes"
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// countEvents reads the answer to countTokens (protocols.md §7.8).
func countEvents(a *codec.Answer, raw []byte) ([]weir.Event, error) {
	n := count(jsonx.Get(raw, "totalTokens"))
	if n == unknown {
		return nil, upstreamError(a, "the answer has no count of tokens")
	}
	u := &weir.Usage{From: protocol}
	u.Set(weir.UsageInput, n)
	u.Set(weir.UsageCacheRead, count(jsonx.Get(raw, "cachedContentTokenCount")))
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		switch string(key) {
		case "totalTokens", "cachedContentTokenCount":
		default:
			u.Extra.Add(string(key), v)
		}
		return nil
	})
	return []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{From: protocol}},
		{Type: weir.EventUsage, Usage: u},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop, From: protocol}},
	}, nil
}

// vectorEvents reads the answer to embedContent or batchEmbedContents.
func vectorEvents(a *codec.Answer, raw []byte) ([]weir.Event, error) {
	start := &weir.Start{From: protocol}
	events := []weir.Event{{Type: weir.EventStart, Start: start}}
	var usage *weir.Usage
	err := jsonx.EachMember(raw, func(key, v []byte) error {
		switch string(key) {
		case "embedding":
			return addVector(a, &events, v)
		case "embeddings":
			return jsonx.EachElement(v, func(_ int, item []byte) error { return addVector(a, &events, item) })
		case "usageMetadata":
			var c counts
			usage = c.read(v, true)
		default:
			start.Extra.Add(string(key), v)
		}
		return nil
	})
	if own, ok := errors.AsType[*weir.Error](err); ok {
		return nil, own
	}
	if err != nil || len(events) == 1 {
		return nil, upstreamError(a, "the answer has no vectors")
	}
	if usage != nil {
		events = append(events, weir.Event{Type: weir.EventUsage, Usage: usage})
	}
	return events, nil
}

func addVector(a *codec.Answer, events *[]weir.Event, raw []byte) error {
	v := &weir.Vector{}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		if string(key) == "values" {
			v.JSON = bytes.Clone(value)
			return nil
		}
		v.Extra.Add(string(key), value)
		return nil
	})
	if jsonx.KindOf(v.JSON) != jsonx.KindArray {
		return upstreamError(a, "a vector of the answer has no values")
	}
	*events = append(*events, weir.Event{Type: weir.EventVector, Index: int32(len(*events) - 1), Vector: v})
	return nil
}
