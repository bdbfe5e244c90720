package gemini

import (
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
)

// The methods of a model.
const (
	methodGenerate = "generateContent"
	methodStream   = "streamGenerateContent"
	methodCount    = "countTokens"
	methodEmbed    = "embedContent"
	methodBatch    = "batchEmbedContents"
)

// operations are what the methods want done.
var operations = map[string]weir.Operation{
	methodGenerate: weir.Generate,
	methodStream:   weir.Generate,
	methodCount:    weir.CountTokens,
	methodEmbed:    weir.Embed,
	methodBatch:    weir.Embed,
}

// OperationOf is what a request for path wants done. path is that of the request
// as it was received, possibly escaped; ok is false when it names no method of
// this protocol.
func OperationOf(path string) (op weir.Operation, ok bool) {
	op, ok = operations[parseAddress(path, "").method]
	return op, ok
}

// An address is what path and query say (protocols.md §7.1).
type address struct {
	model  string // without "models/"; empty when the path names none
	method string
	// sse asks for the framing of an event stream; without it the answer to
	// streamGenerateContent is a JSON array that grows.
	sse bool
}

// addressOf is the address of a request of this protocol.
func addressOf(w *weir.Wire) address { return parseAddress(w.Path, w.Query) }

func parseAddress(path, query string) address {
	a := address{sse: wantsEvents(query)}
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	name, found := afterFirst(path, "/models/")
	if !found {
		if name, found = afterFirst(path, "/tunedModels/"); !found {
			return a
		}
		name = "tunedModels/" + name
	}
	a.model = name
	if colon := strings.LastIndexByte(name, ':'); colon >= 0 {
		a.model, a.method = name[:colon], name[colon+1:]
	}
	return a
}

func afterFirst(s, sep string) (rest string, found bool) {
	_, rest, found = strings.Cut(s, sep)
	return rest, found
}

// wantsEvents reports whether a query has alt=sse.
func wantsEvents(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); name == "alt" && strings.EqualFold(value, "sse") {
			return true
		}
	}
	return false
}

// credentials are members of a query that must never be sent on.
var credentials = map[string]bool{"key": true, "access_token": true, "oauth_token": true, "api_key": true, "apikey": true}

// passedQuery is the client's query as it goes on to an upstream of this
// protocol. framing tells that what it says about the form of the answer still
// holds.
func passedQuery(query string, framing bool) string {
	var out []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if pair == "" || credentials[strings.ToLower(name)] || !framing && (name == "alt" || name == "$alt") {
			continue
		}
		out = append(out, pair)
	}
	return strings.Join(out, "&")
}

// pathOf is the path of a method of a model, to be appended to a base URL that
// ends in front of "/models".
func pathOf(model, method string) string {
	model = bareModel(model)
	if tuned, ok := strings.CutPrefix(model, "tunedModels/"); ok {
		return "/tunedModels/" + url.PathEscape(tuned) + ":" + method
	}
	return "/models/" + url.PathEscape(model) + ":" + method
}

// bareModel is a model's name without the collection that it stands in.
func bareModel(name string) string { return strings.TrimPrefix(name, "models/") }

// resourceName is a model's name as the members of bodies have it.
func resourceName(model string) string {
	if strings.Contains(model, "/") {
		return model
	}
	return "models/" + model
}
