package anthropic

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeStart reads the head of a message, of a whole one or of message_start.
// Members that are known only at the end (container, context_management) belong
// to the Finish.
func decodeStart(message []byte) *weir.Start {
	s := &weir.Start{From: protocol}
	_ = jsonx.EachMember(message, func(k, v []byte) error {
		switch string(k) {
		case "id":
			s.ID = jsonx.StringOr(v, "")
		case "model":
			s.Model = jsonx.StringOr(v, "")
		case "type", "role", "content", "usage", "stop_reason", "stop_sequence", "stop_details":
		default:
			if !isFinishExtra(string(k)) && !jsonx.IsNull(v) {
				s.Extra.Add(string(k), v)
			}
		}
		return nil
	})
	return s
}

// isFinishExtra reports whether a member of a whole message stands in the
// message_delta of a stream.
func isFinishExtra(key string) bool {
	switch key {
	case "container", "context_management", "input_transformations":
		return true
	}
	return false
}

// finishState gathers how an answer ended, from a whole message or from the
// message_delta frames of a stream.
type finishState struct {
	seen bool // a stop_reason came
	f    weir.Finish
}

// read takes over the members of raw: of a message, or of a message_delta's delta.
func (s *finishState) read(raw []byte, whole bool) {
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if jsonx.IsNull(v) {
			return nil
		}
		switch key := string(k); key {
		case "stop_reason":
			if reason := jsonx.StringOr(v, ""); reason != "" {
				s.seen, s.f.Native = true, reason
			}
		case "stop_sequence":
			s.f.StopSequence = jsonx.StringOr(v, "")
		case "stop_details":
			s.f.Details = append([]byte(nil), v...)
		default:
			if !whole || isFinishExtra(key) {
				s.f.Extra = keep(s.f.Extra, key, v)
			}
		}
		return nil
	})
}

// finish is how the answer ended. The error is that of an upstream whose word
// for a failure is a stop_reason.
func (s *finishState) finish(a *codec.Answer) (*weir.Finish, error) {
	f := s.f
	f.From = protocol
	f.Reason = finishReason(f.Native)
	if a.Target != nil && a.Target.Quirks != nil {
		if r := a.Target.Quirks.FinishReasons[f.Native]; r != "" {
			f.Reason = weir.FinishReason(r)
		}
	}
	if f.Reason == weir.FinishError {
		return nil, upstreamError(a, "the upstream gave up on the answer (stop_reason %q)", f.Native)
	}
	return &f, nil
}

// finishReasons are the values of stop_reason (Messages API reference,
// 2026-08-07; protocols.md §12.3).
var finishReasons = map[string]weir.FinishReason{
	"end_turn":                      weir.FinishStop,
	"stop_sequence":                 weir.FinishStopSequence,
	"max_tokens":                    weir.FinishLength,
	"model_context_window_exceeded": weir.FinishContextWindow,
	"tool_use":                      weir.FinishToolCalls,
	"refusal":                       weir.FinishRefusal,
	"pause_turn":                    weir.FinishPause,
}

func finishReason(native string) weir.FinishReason {
	if r, ok := finishReasons[native]; ok {
		return r
	}
	return weir.FinishOther
}

// ending is what of an answer decides its stop_reason.
type ending struct {
	calls bool // it has tool calls
	last  bool // its last block is one
}

// stopReason is the protocol's word for f. Where calls wait for their results,
// the word follows them and not the upstream's (S-05), except where the answer
// was cut or held back (S-06). In this protocol calls that hosted code has made
// stand in the middle of an answer and wait for nothing: there the last block
// counts.
func stopReason(f *weir.Finish, end ending) string {
	if f.From == protocol && f.Native != "" && f.Native != "end_turn" && finishReason(f.Native) == f.Reason {
		return f.Native
	}
	switch f.Reason {
	case weir.FinishLength:
		return "max_tokens"
	case weir.FinishContextWindow:
		return "model_context_window_exceeded"
	case weir.FinishContentFilter, weir.FinishRefusal:
		return "refusal"
	case weir.FinishPause:
		return "pause_turn"
	}
	if end.last || end.calls && f.From != protocol {
		return "tool_use"
	}
	if f.Reason == weir.FinishStopSequence && f.StopSequence != "" {
		return "stop_sequence"
	}
	return "end_turn"
}
