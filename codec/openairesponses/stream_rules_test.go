package openairesponses_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// A ruler checks a stream against protocols.md §4.6, as SDK accumulators and Codex
// depend on it.
type ruler struct {
	seq    int64
	id     string // of the response
	stage  int    // 0: nothing, 1: created, 2: in progress, 3: over
	items  map[int64]*ruledItem
	done   map[int64]string // items that are done, as they were written
	next   int64
	ids    map[string]bool
	ending string
}

type ruledItem struct {
	id, typ string
	over    bool
	parts   map[string]*ruledPart
	input   strings.Builder // of a call
	told    bool            // the end of the input was told
}

type ruledPart struct {
	kind       string
	text       strings.Builder
	told, over bool
	notes      int
}

// checkStream is what is wrong with a stream, nil for nothing.
func checkStream(wire string) error {
	r := &ruler{items: map[int64]*ruledItem{}, done: map[int64]string{}, ids: map[string]bool{}}
	for frame := range strings.SplitSeq(wire, "\n\n") {
		for strings.HasPrefix(frame, ":") { // a comment
			_, frame, _ = strings.Cut(frame, "\n")
		}
		if frame == "" {
			continue
		}
		event, data, ok := strings.Cut(frame, "\n")
		if !ok || !strings.HasPrefix(event, "event: ") || !strings.HasPrefix(data, "data: ") || strings.Contains(data, "\n") {
			return fmt.Errorf("no frame of an event: %q", frame)
		}
		if err := r.event(event[len("event: "):], []byte(data[len("data: "):])); err != nil {
			return fmt.Errorf("%w in %s", err, frame)
		}
	}
	if r.stage != 3 {
		return errors.New("there is no terminal event")
	}
	return nil
}

func (r *ruler) event(name string, data []byte) error {
	if err := jsonx.Valid(data); err != nil {
		return err
	}
	typ := jsonx.StringOr(jsonx.Get(data, "type"), "")
	seq, numbered := jsonx.Int64(jsonx.Get(data, "sequence_number"))
	switch {
	case typ != name:
		return fmt.Errorf("the event is called %s and is %s", name, typ)
	case !numbered || seq != r.seq:
		return fmt.Errorf("number %d, expected %d", seq, r.seq)
	case r.stage == 3:
		return errors.New("something comes behind the terminal event")
	}
	r.seq++
	if response := jsonx.Get(data, "response"); response != nil {
		return r.response(typ, response)
	}
	if r.stage != 2 {
		return errors.New("content comes before response.in_progress")
	}
	n, ok := jsonx.Int64(jsonx.Get(data, "output_index"))
	if !ok {
		return errors.New("there is no output_index")
	}
	switch typ {
	case "response.output_item.added":
		return r.added(n, jsonx.Get(data, "item"))
	case "response.output_item.done":
		return r.itemDone(n, jsonx.Get(data, "item"))
	}
	it := r.items[n]
	if it == nil || it.over {
		return errors.New("the item is not open")
	}
	if id := jsonx.StringOr(jsonx.Get(data, "item_id"), ""); id != it.id {
		return fmt.Errorf("item_id is %q and the item's id %q", id, it.id)
	}
	if it.typ == "function_call" || it.typ == "custom_tool_call" {
		return it.call(typ, data)
	}
	return it.part(typ, data)
}

// response checks the events about the response as a whole.
func (r *ruler) response(typ string, response []byte) error {
	id, status := jsonx.StringOr(jsonx.Get(response, "id"), ""), jsonx.StringOr(jsonx.Get(response, "status"), "")
	switch {
	case id == "" || r.id != "" && id != r.id:
		return fmt.Errorf("the response is %q and was %q", id, r.id)
	case jsonx.StringOr(jsonx.Get(response, "object"), "") != "response":
		return errors.New("the object is no response")
	}
	for _, name := range [...]string{"created_at", "model", "output", "usage", "error", "incomplete_details", "tools", "tool_choice", "parallel_tool_calls", "metadata"} {
		if jsonx.Get(response, name) == nil {
			return fmt.Errorf("the response has no %s", name)
		}
	}
	r.id = id
	if typ == "response.created" && r.stage == 0 || typ == "response.in_progress" && r.stage == 1 {
		r.stage++
		if status != "in_progress" {
			return fmt.Errorf("the status is %s", status)
		}
		return nil
	}
	if r.stage != 2 {
		return errors.New("it is not the time for this event")
	}
	r.stage, r.ending = 3, strings.TrimPrefix(typ, "response.")
	switch r.ending {
	case "completed", "incomplete", "failed":
	default:
		return errors.New("no terminal event")
	}
	if status != r.ending {
		return fmt.Errorf("the status is %s", status)
	}
	return r.terminal(response)
}

// terminal checks that the output is what the items were.
func (r *ruler) terminal(response []byte) error {
	if failed := r.ending == "failed"; failed == jsonx.IsNull(jsonx.Get(response, "error")) {
		return errors.New("an error belongs to a failed response, and to no other")
	}
	if cut := r.ending == "incomplete"; cut == jsonx.IsNull(jsonx.Get(response, "incomplete_details")) {
		return errors.New("incomplete_details belong to an incomplete response, and to no other")
	}
	if r.ending != "failed" {
		for n, it := range r.items {
			if !it.over {
				return fmt.Errorf("item %d is not done", n)
			}
		}
	}
	var output []string
	for _, n := range slices.Sorted(maps.Keys(r.done)) {
		output = append(output, r.done[n])
	}
	if want := "[" + strings.Join(output, ",") + "]"; string(jsonx.Get(response, "output")) != want {
		return fmt.Errorf("the output is not what the items were: %s", want)
	}
	return nil
}

func (r *ruler) added(n int64, item []byte) error {
	it := &ruledItem{id: jsonx.StringOr(jsonx.Get(item, "id"), ""), typ: jsonx.StringOr(jsonx.Get(item, "type"), ""), parts: map[string]*ruledPart{}}
	switch {
	case n != r.next:
		return fmt.Errorf("item %d follows %d items", n, r.next)
	case it.typ == "web_search_call": // kept as it came
	case it.id == "" || r.ids[it.id]:
		return errors.New("an item needs an id of its own")
	}
	r.next++
	r.ids[it.id], r.items[n] = true, it
	return nil
}

func (r *ruler) itemDone(n int64, item []byte) error {
	it := r.items[n]
	if it == nil || it.over {
		return errors.New("the item is not open")
	}
	it.over = true
	r.done[n] = string(item)
	for _, p := range it.parts {
		if !p.over {
			return errors.New("a part of the item is open")
		}
	}
	var input string
	switch it.typ {
	case "function_call":
		input = jsonx.StringOr(jsonx.Get(item, "arguments"), "")
	case "custom_tool_call":
		input = jsonx.StringOr(jsonx.Get(item, "input"), "")
	default:
		return it.sameParts(item)
	}
	if input != it.input.String() || !it.told {
		return fmt.Errorf("the input is %q and was %q", input, it.input.String())
	}
	return nil
}

// sameParts checks that an item says what came in pieces.
func (it *ruledItem) sameParts(item []byte) error {
	n := 0
	for key, member := range map[string]string{"c": "content", "s": "summary"} {
		_ = jsonx.EachElement(jsonx.Get(item, member), func(i int, raw []byte) error {
			n++
			p := it.parts[fmt.Sprintf("%s%d", key, i)]
			if p == nil || p.text.String() != textOf(raw) {
				n = -1000
			}
			return nil
		})
	}
	if it.typ != "message" && it.typ != "reasoning" {
		return nil
	}
	if n != len(it.parts) {
		return errors.New("the item does not say what its parts did")
	}
	return nil
}

func textOf(part []byte) string {
	return jsonx.StringOr(jsonx.Get(part, "text"), "") + jsonx.StringOr(jsonx.Get(part, "refusal"), "")
}

func (it *ruledItem) call(typ string, data []byte) error {
	prefix, member := "response.function_call_arguments", "arguments"
	if it.typ == "custom_tool_call" {
		prefix, member = "response.custom_tool_call_input", "input"
	}
	switch {
	case typ == prefix+".delta" && !it.told:
		it.input.WriteString(jsonx.StringOr(jsonx.Get(data, "delta"), ""))
	case typ == prefix+".done" && !it.told:
		it.told = true
		if s := jsonx.StringOr(jsonx.Get(data, member), "?"); s != it.input.String() {
			return fmt.Errorf("the input is %q and was %q", s, it.input.String())
		}
	default:
		return errors.New("the event does not belong to a call, or not here")
	}
	return nil
}

// partEvents are the events of the kinds of parts.
var partEvents = map[string]string{
	"response.output_text": "output_text", "response.refusal": "refusal",
	"response.reasoning_text": "reasoning_text", "response.reasoning_summary_text": "summary_text",
}

func (it *ruledItem) part(typ string, data []byte) error {
	key, number := "c", jsonx.Get(data, "content_index")
	if strings.Contains(typ, "summary") {
		key, number = "s", jsonx.Get(data, "summary_index")
	}
	key += string(number)
	p := it.parts[key]
	at := strings.LastIndexByte(typ, '.')
	switch group, what := typ[:at], typ[at+1:]; {
	case strings.HasSuffix(group, "_part") && what == "added":
		if p != nil || number == nil {
			return errors.New("the part was there before")
		}
		part := jsonx.Get(data, "part")
		it.parts[key] = &ruledPart{kind: jsonx.StringOr(jsonx.Get(part, "type"), "")}
		return nil
	case p == nil || p.over:
		return errors.New("the part is not open")
	case strings.HasSuffix(group, "_part") && what == "done":
		p.over = true
		if part := jsonx.Get(data, "part"); !p.told || textOf(part) != p.text.String() {
			return errors.New("the part does not say what its pieces did")
		}
	case group == "response.output_text.annotation":
		if n, _ := jsonx.Int64(jsonx.Get(data, "annotation_index")); int(n) != p.notes {
			return fmt.Errorf("annotation %d follows %d", n, p.notes)
		}
		p.notes++
	case partEvents[group] != p.kind:
		return fmt.Errorf("an event of %s about a part of %s", group, p.kind)
	case what == "delta" && !p.told:
		p.text.WriteString(jsonx.StringOr(jsonx.Get(data, "delta"), ""))
	case what == "done" && !p.told:
		p.told = true
		if textOf(data) != p.text.String() {
			return errors.New("the text is not what its pieces were")
		}
	default:
		return errors.New("the event does not belong here")
	}
	return nil
}

// eventTypes are the types of a stream's events in order, deltas in a row told once.
func eventTypes(wire string) string {
	var out []string
	for line := range bytes.Lines([]byte(wire)) {
		name, ok := bytes.CutPrefix(line, []byte("event: response."))
		if !ok {
			continue
		}
		typ := string(bytes.TrimSpace(name))
		if n := len(out); n > 0 && out[n-1] == typ && strings.HasSuffix(typ, ".delta") {
			continue
		}
		out = append(out, typ)
	}
	return strings.Join(out, " ")
}
