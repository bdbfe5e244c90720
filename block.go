package weir

import "slices"

// A Block is one typed part of a message. Type says which of the other fields
// are set.
type Block struct {
	Type BlockType
	// Text of BlockText, BlockRefusal and BlockReasoning.
	Text      string
	Media     *Media      // BlockImage, BlockAudio, BlockFile
	Reasoning *Reasoning  // BlockReasoning; nil when there is only Text
	Call      *ToolCall   // BlockToolCall
	Result    *ToolResult // BlockToolResult
	Citations []Citation  // BlockText
	// Cache marks a breakpoint of the upstream's prompt cache after this block.
	Cache *CacheControl
	// Opaque is a block that only its own protocol understands (BlockOpaque).
	Opaque *Opaque
	// At is where the block stood in the client's request, in the client's
	// words ("input[3]"), where it does not follow from its number.
	At    string
	Extra Fields
}

// BlockType is the kind of a Block.
type BlockType string

// Block types.
const (
	BlockText       BlockType = "text"
	BlockImage      BlockType = "image"
	BlockAudio      BlockType = "audio"
	BlockFile       BlockType = "file"
	BlockReasoning  BlockType = "reasoning"
	BlockToolCall   BlockType = "tool_call"
	BlockToolResult BlockType = "tool_result"
	BlockRefusal    BlockType = "refusal"
	BlockOpaque     BlockType = "opaque"
)

// Media is an image, a sound or a file: by value, by address or by the id
// under which the provider keeps it. Exactly one of Data, URL, FileID and Text
// is set, except for audio that a model spoke, which has Data and Transcript.
type Media struct {
	MIME       string // "image/png"; empty when not said
	Data       string // base64, as received
	URL        string // never fetched by a codec
	FileID     string
	Text       string // a plain-text document
	Name       string // file name or document title
	Detail     string // "auto", "low", "high"; empty when not said
	Context    string // what the document is about, for the model
	ID         string // of audio that a model spoke
	Transcript string // of audio
	// Citations true asks the model to cite this document.
	Citations *bool
	Extra     Fields
}

// Reasoning is what comes with thinking text. Signatures and encrypted payloads
// are opaque, are sent back byte for byte, and only to where they came from.
type Reasoning struct {
	ID        string
	Format    string // what made the signature or payload: "anthropic-claude-v1" …
	Signature string
	Encrypted string // a whole block that only the provider can read
	// Summary tells that Text is a summary and not the thinking itself.
	Summary bool
	Extra   Fields
}

// A ToolCall is the model asking for a tool to be run.
type ToolCall struct {
	ID   string
	Name string
	Type ToolType // empty is ToolFunction
	// Arguments is JSON text as the model wrote it, possibly cut or invalid;
	// free text for ToolCustom. A call without arguments has "{}".
	Arguments string
	// Signature is a provider's opaque state that belongs to the call.
	Signature string
	Extra     Fields
}

// A ToolResult answers a tool call.
type ToolResult struct {
	CallID  string
	Name    string // where the protocol names the tool again
	Content []Block
	Plain   bool // the content came as one string
	IsError bool
	Extra   Fields
}

// A Citation says where a text comes from.
type Citation struct {
	Type       string // "url", or the protocol's own name of its kind
	URL        string
	Title      string
	Cited      string // the quoted text
	Start, End int    // characters of the whole text that it supports; both 0 when not said
	// Raw is the whole citation in its own protocol.
	Raw  []byte
	From Protocol
}

// CacheControl marks a breakpoint of a prompt cache.
type CacheControl struct {
	TTL   string // "5m", "1h"; empty is the provider's default
	Extra Fields
}

// Opaque is a block kept by value.
type Opaque struct {
	Protocol Protocol
	Type     string // as the protocol calls it
	Raw      []byte
}

// Clone is a copy whose parts can be edited without touching b.
func (b Block) Clone() Block {
	b.Media, b.Reasoning, b.Call = clonePtr(b.Media), clonePtr(b.Reasoning), clonePtr(b.Call)
	b.Cache, b.Opaque = clonePtr(b.Cache), clonePtr(b.Opaque)
	b.Citations, b.Extra = slices.Clone(b.Citations), slices.Clone(b.Extra)
	if b.Result != nil {
		b.Result = clonePtr(b.Result)
		b.Result.Content = cloneBlocks(b.Result.Content)
	}
	return b
}
