package sim

import (
	"bytes"
	"encoding/json"
)

// strictJSON decodes body and refuses members that v has no field for: a
// misspelt rule would play no fault, and a test would pass for nothing.
func strictJSON(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
