package ollama

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// contentMembers are the members of a last line that are not about its end.
var contentMembers = []string{
	"model", "created_at", "message", "response", "thinking", "images", "logprobs", "done", "done_reason",
	"prompt_eval_count", "eval_count", "remote_model", "remote_host",
}

// finish ends the answer with the members of its last line: why, how many tokens,
// and what else it says (durations, the context of /api/generate).
func (d *decoder) finish(data []byte) error {
	native := jsonx.StringOr(d.line.reason, "")
	f := &weir.Finish{Reason: d.reason(native), Native: native, From: protocol}
	u := &weir.Usage{From: protocol}
	_ = jsonx.EachMember(data, func(key, value []byte) error {
		switch name := string(key); {
		case name == "prompt_eval_count":
			count(u, weir.UsageInput, value)
		case name == "eval_count":
			count(u, weir.UsageOutput, value)
		case !slices.Contains(contentMembers, name) && says(value) && !d.relay:
			f.Extra.Add(name, value)
		}
		return nil
	})
	if f.Reason == weir.FinishError {
		d.gaveUp(u)
		return nil
	}
	d.endProse()
	if d.hasCalls && f.Reason == weir.FinishStop {
		f.Reason = weir.FinishToolCalls // S-05
	}
	d.done = true
	d.emit(weir.Event{Type: weir.EventFinish, Finish: f})
	if u.Known != 0 {
		d.emit(weir.Event{Type: weir.EventUsage, Usage: u})
	}
	return nil
}

// gaveUp ends the answer with an error, and with what it has used, which is billed
// all the same (U-04).
func (d *decoder) gaveUp(u *weir.Usage) {
	d.failed = d.fault("the upstream gave up in the middle of the answer")
	if u.Known != 0 {
		d.emit(weir.Event{Type: weir.EventUsage, Usage: u})
	}
}

// count sets a counter; what cannot be a number of tokens stays unknown (U-08).
func count(u *weir.Usage, f weir.UsageField, raw []byte) {
	if n, ok := jsonx.Int64(raw); ok {
		u.Set(f, n)
	}
}

// reason is the meaning of a done_reason. A model that was loaded or unloaded has
// said all it had to say.
func (d *decoder) reason(native string) weir.FinishReason {
	if mapped, ok := d.q.FinishReasons[native]; ok {
		return weir.FinishReason(mapped)
	}
	switch native {
	case "stop", "", "load", "unload":
		return weir.FinishStop
	case "length":
		return weir.FinishLength
	}
	return weir.FinishOther
}

// word is f in this protocol's words; lost tells that it says less.
func word(f *weir.Finish) (word string, lost bool) {
	if f.From == protocol && f.Native != "" {
		return f.Native, false
	}
	switch f.Reason {
	case weir.FinishLength, weir.FinishContextWindow:
		return "length", false
	case weir.FinishStop, weir.FinishStopSequence, weir.FinishToolCalls, "":
		return "stop", false
	}
	return "stop", true
}
