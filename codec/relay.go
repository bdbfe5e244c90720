package codec

import (
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// ScanTop scans the top level of w.Body once and keeps the result in w.Index.
// An OpenRequest calls it while the Wire is still its own; afterwards w is
// shared and TopOf is the way to read it. The error is KindInvalid and gives
// the line and column, or the key that came twice.
func ScanTop(w *weir.Wire) (*jsonx.Top, error) {
	top, err := TopOf(w)
	if err == nil {
		w.Index = top
	}
	return top, err
}

// TopOf is the scan of w.Body's top level. With w.Index set it costs nothing;
// without, it scans into a Top of the caller's own and keeps nothing, so that it
// is safe for concurrent use either way. Errors are those of ScanTop.
func TopOf(w *weir.Wire) (*jsonx.Top, error) {
	if top, ok := w.Index.(*jsonx.Top); ok {
		return top, nil
	}
	top := new(jsonx.Top)
	if err := top.Scan(w.Body); err != nil {
		return nil, InvalidJSON(w.Body, err)
	}
	return top, nil
}

// RelayBody is w.Body with edits to its top level, in pieces that point into
// w.Body and into the edits' values. Everything that is not edited keeps its
// bytes. Errors are those of ScanTop.
func RelayBody(w *weir.Wire, edits []jsonx.Edit) ([][]byte, error) {
	if len(edits) == 0 {
		return [][]byte{w.Body}, nil
	}
	top, err := TopOf(w)
	if err != nil {
		return nil, err
	}
	return top.Splice(make([][]byte, 0, 2+3*len(edits)), w.Body, edits), nil
}

// InvalidJSON makes a KindInvalid error of an error that jsonx found in body,
// naming the place in lines and columns and never quoting the text.
func InvalidJSON(body []byte, err error) *weir.Error {
	if dup, ok := errors.AsType[*jsonx.DuplicateKeyError](err); ok {
		line, column := jsonx.Position(body, dup.Offset)
		return weir.Invalid(dup.Key, "the member %q is there twice, again at line %d, column %d: "+
			"send it once, since two readers might disagree about which counts", dup.Key, line, column)
	}
	if syntax, ok := errors.AsType[*jsonx.SyntaxError](err); ok {
		line, column := jsonx.Position(body, syntax.Offset)
		return weir.Errorf(weir.KindInvalid, "invalid JSON at line %d, column %d: %s", line, column, syntax.Msg)
	}
	return weir.Errorf(weir.KindInvalid, "invalid JSON: %w", err)
}
