package weir

import (
	"bytes"
	"net/http"
)

// An Event is one step of an answer. A well-formed sequence is, notes and pings
// anywhere:
//
//	Start
//	for every block, possibly interleaved with others:
//	    BlockStart  Delta*  BlockEnd
//	Finish          once for every choice
//	Usage*          cumulative; the last one counts
//
// or, when nobody needs content (Request.Relay), EventRelay in place of the
// block events. The answer to Embed has an EventVector for every input in place
// of blocks and Finish. A relayed operation ([Operation.IsRelayed]) has Start with
// a Head, EventRelay for every piece, and Usage where it was told; it has no
// Finish. Blocks of one choice are numbered from 0 in order of their
// start. Usage may come at any point after Start.
type Event struct {
	Type EventType
	// Part says what a Delta adds to.
	Part Part
	// More tells that the next Event is already there: a writer may wait with
	// flushing. It is a hint.
	More bool
	// Choice is which alternative this belongs to, 0 unless n > 1 was asked.
	Choice int32
	// Index is the block's number within its choice.
	Index int32
	// Text is what a Delta adds.
	Text string

	Start    *Start    // EventStart
	Block    *Block    // EventBlockStart: the block as far as it is known
	Citation *Citation // EventDelta with PartCitation
	Finish   *Finish   // EventFinish
	Usage    *Usage    // EventUsage
	Note     Note      // EventNote
	Vector   *Vector   // EventVector; Index is the number of its input

	// Frame is the wire frame that this Event came from, nil when there is
	// none or the Event has been edited. It is borrowed: valid until the
	// consumer asks for the next Event.
	Frame *Frame
	// FrameSeq numbers the Events of one frame from 0.
	FrameSeq int32
}

// EventType is the kind of an Event.
type EventType uint8

// Event types.
const (
	EventNone       EventType = iota
	EventStart                // the answer begins
	EventBlockStart           // a block begins
	EventDelta                // something is added to a block
	EventBlockEnd             // a block is complete
	EventFinish               // a choice is complete, and why
	EventUsage                // tokens so far
	EventPing                 // the upstream is alive
	EventRelay                // a frame of content that was not decoded, or one without meaning
	EventNote                 // a fact about the call, not part of the answer
	EventVector               // one result of Embed
)

var eventNames = [...]string{"none", "start", "block_start", "delta", "block_end", "finish", "usage", "ping", "relay", "note", "vector"}

// String is the type's name.
func (t EventType) String() string {
	if int(t) < len(eventNames) {
		return eventNames[t]
	}
	return "unknown"
}

// Part is what a Delta adds to.
type Part uint8

// Parts.
const (
	PartText       Part = iota // Block.Text of text, reasoning and refusal blocks
	PartArguments              // Block.Call.Arguments
	PartSignature              // Block.Reasoning.Signature, Block.Call.Signature of a tool call
	PartEncrypted              // Block.Reasoning.Encrypted
	PartCitation               // Block.Citations
	PartAudio                  // Block.Media.Data
	PartTranscript             // Block.Media.Transcript
	PartLogprobs               // raw JSON of the protocol's own logprobs for this piece

	partCount
)

// A Frame is a piece of an answer as it was received: an SSE event with its
// line ends, or a whole JSON body. All frames of an answer, one after another,
// are the answer byte for byte.
type Frame struct {
	Protocol Protocol
	Raw      []byte
	// Events is how many Events the frame became. An encoder of the same
	// protocol that meets all of them, in order and unedited, sends Raw.
	Events int32
	// Whole tells that the frame is a complete, not streamed, answer.
	Whole bool
	// Binary tells that the frame is a WebSocket message of bytes and not of text.
	Binary bool
}

// Start is what is known when an answer begins.
type Start struct {
	ID      string
	Model   string // as the upstream calls it
	Created int64  // Unix seconds, 0 when not said
	Extra   Fields // members around the answer: service_tier, system_fingerprint …
	From    Protocol
	// Tools are those that the answer may call and that the client has declared
	// earlier, not in its request: a stage has put them there. Nil: there are none.
	Tools []Tool
	// Head is the answer's, for a relayed operation; nil for all others.
	Head *Head
}

// A Head is status and headers of an answer that is relayed.
type Head struct {
	Status int
	// Header holds what describes the body (Content-Type, Content-Disposition)
	// and belongs to the protocol; nothing of the connection.
	Header http.Header
}

// A Vector is one embedding. Exactly one of JSON and Base64 is set; see Floats.
type Vector struct {
	JSON   []byte // an array of numbers, as it was received
	Base64 string // of little-endian 32-bit floats
	Extra  Fields
}

// Finish is why a choice ended.
type Finish struct {
	Reason FinishReason
	// Native is the upstream's own word, and From its protocol.
	Native       string
	From         Protocol
	StopSequence string // which one was met, where that is known
	Details      []byte // raw JSON in the upstream's own words
	Extra        Fields
}

// FinishReason is why a choice ended, in Weir's words.
type FinishReason string

// Finish reasons.
const (
	FinishStop          FinishReason = "stop"           // a natural end
	FinishStopSequence  FinishReason = "stop_sequence"  // a stop sequence was met
	FinishLength        FinishReason = "length"         // the token cap
	FinishContextWindow FinishReason = "context_window" // the context is full
	FinishToolCalls     FinishReason = "tool_calls"     // the model waits for tool results
	FinishContentFilter FinishReason = "content_filter" // the provider held the answer back
	FinishRefusal       FinishReason = "refusal"        // the model declined
	FinishPause         FinishReason = "pause"          // a hosted tool loop wants to be continued
	FinishError         FinishReason = "error"          // the upstream gave up
	FinishOther         FinishReason = "other"          // see Finish.Native
)

// IsContent reports whether the client would see ev as part of the answer: the
// first such Event commits the attempt that it came from, but for a block of text
// that begins with nothing in it.
func (ev Event) IsContent() bool {
	switch ev.Type {
	case EventBlockStart, EventDelta, EventBlockEnd, EventFinish, EventRelay, EventVector:
		return true
	case EventStart: // a conversation that was accepted has begun for the client
		return ev.Start != nil && ev.Start.Head != nil && ev.Start.Head.Status == http.StatusSwitchingProtocols
	}
	return false
}

// Detach is ev without its frame: what an edited Event must be, so that the
// received bytes are not sent in its place.
func (ev Event) Detach() Event {
	ev.Frame, ev.FrameSeq = nil, 0
	return ev
}

// Clone is ev with a frame of its own, to be kept beyond the next Event. Events
// of one frame that are cloned through the same *FrameCloner share a copy.
func (ev Event) Clone() Event {
	if ev.Frame != nil {
		f := *ev.Frame
		f.Raw = bytes.Clone(f.Raw)
		ev.Frame = &f
	}
	return ev
}

// A FrameCloner clones Events that are held back, keeping those of one frame
// together: an encoder knows by the pointer that they belong to each other.
// The zero value is ready to use. Not safe for concurrent use.
type FrameCloner struct{ last *Frame }

// Clone is like Event.Clone; Events with FrameSeq above 0 get the frame of the
// one before.
func (c *FrameCloner) Clone(ev Event) Event {
	if ev.Frame == nil {
		return ev
	}
	if ev.FrameSeq > 0 && c.last != nil {
		ev.Frame = c.last
		return ev
	}
	ev = ev.Clone()
	c.last = ev.Frame
	return ev
}
