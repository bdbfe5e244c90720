package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// finishReasons are the values of stopReason (botocore StopReason, 2026-08-07;
// protocols.md §12.3). A malformed answer is one that the model has to be asked for
// again.
var finishReasons = map[string]weir.FinishReason{
	"end_turn":                      weir.FinishStop,
	"stop_sequence":                 weir.FinishStopSequence,
	"max_tokens":                    weir.FinishLength,
	"model_context_window_exceeded": weir.FinishContextWindow,
	"tool_use":                      weir.FinishToolCalls,
	"guardrail_intervened":          weir.FinishContentFilter,
	"content_filtered":              weir.FinishContentFilter,
	"malformed_model_output":        weir.FinishError,
	"malformed_tool_use":            weir.FinishError,
}

// modelFields is the member with what of the model's own answer was asked for.
const modelFields = "additionalModelResponseFields"

// readFinish reads how an answer ended: of a whole answer or of messageStop. The
// error is that of an upstream whose word for a failure is a stopReason.
func readFinish(a *codec.Answer, raw []byte) (*weir.Finish, error) {
	f := &weir.Finish{From: protocol, Native: jsonx.StringOr(jsonx.Get(raw, "stopReason"), "")}
	if f.Native == "" {
		f.Native = "end_turn"
	}
	f.Reason = finishReasons[f.Native]
	if q := quirksOf(a); q != nil && q.FinishReasons[f.Native] != "" {
		f.Reason = weir.FinishReason(q.FinishReasons[f.Native])
	}
	switch f.Reason {
	case "":
		f.Reason = weir.FinishOther
	case weir.FinishError:
		return nil, upstreamError(a, "the upstream gave up on the answer (stopReason %q)", f.Native)
	}
	if fields := jsonx.Get(raw, modelFields); fields != nil && !jsonx.IsNull(fields) {
		f.Extra.Add(modelFields, fields)
		f.StopSequence = jsonx.StringOr(jsonx.Get(fields, "stop_sequence"),
			jsonx.StringOr(jsonx.GetPath(fields, "delta", "stop_sequence"), ""))
	}
	return f, nil
}

// stopReason is the protocol's word for f. Where calls wait for their results, the
// word follows them and not the upstream's (S-05), except where the answer was cut
// or held back (S-06).
func stopReason(f *weir.Finish, calls bool) string {
	if f.From == protocol && f.Native != "" && f.Native != "end_turn" && f.Native != "stop_sequence" {
		return f.Native
	}
	switch f.Reason {
	case weir.FinishLength:
		return "max_tokens"
	case weir.FinishContextWindow:
		return "model_context_window_exceeded"
	case weir.FinishContentFilter, weir.FinishRefusal:
		return "content_filtered"
	case weir.FinishError:
		return "malformed_model_output"
	}
	switch {
	case calls:
		return "tool_use"
	case f.Reason == weir.FinishStopSequence:
		return "stop_sequence"
	}
	return "end_turn"
}

// appendFinish writes stopReason and what goes with it. Which stop sequence was met
// has a place only where Claude's own answer has it.
func appendFinish(b *jsonx.Buffer, f *weir.Finish, calls bool) {
	b.StringField("stopReason", stopReason(f, calls))
	if f.From == protocol {
		appendFields(b, f.Extra)
		return
	}
	if f.Reason == weir.FinishStopSequence && f.StopSequence != "" {
		b.Key(modelFields)
		b.BeginObject()
		b.StringField("stop_sequence", f.StopSequence)
		b.EndObject()
	}
}
