package codec

import "reflect"

// mergeFields copies the fields of o that are set over those of q. It runs when
// a configuration is loaded, never on a request.
func mergeFields(q, o *Quirks) {
	dst, src := reflect.ValueOf(q).Elem(), reflect.ValueOf(o).Elem()
	for i := range src.NumField() {
		if !src.Field(i).IsZero() {
			dst.Field(i).Set(src.Field(i))
		}
	}
}
