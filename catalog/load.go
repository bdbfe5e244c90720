package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// decodeProvider reads one file strictly: members that are unknown, written
// twice or of the wrong type are problems with their path.
func decodeProvider(raw []byte) (*Provider, error) {
	p := new(Provider)
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(p)
	if err == nil {
		return p, checkWhole(dec, raw)
	}
	// encoding/json names neither the path of an unknown member nor more than
	// one; the slow walk does, and runs only when something is wrong.
	var ps problems
	walkUnknown(raw, reflect.TypeFor[Provider](), "", &ps)
	if len(ps) == 0 {
		ps.at("", "%v", err)
	}
	return nil, ps
}

// checkWhole finds what encoding/json lets pass.
func checkWhole(dec *json.Decoder, raw []byte) error {
	if _, err := dec.Token(); err != io.EOF {
		return problems{{message: "there is something after the provider's object"}}
	}
	if name, line := duplicateMember(raw); name != "" {
		return problems{{message: fmt.Sprintf("line %d: %q is written twice in one object", line, name)}}
	}
	return nil
}

var textType = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()

// walkUnknown compares JSON with the Go type that it is to be decoded into.
func walkUnknown(raw json.RawMessage, t reflect.Type, path string, ps *problems) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case reflect.PointerTo(t).Implements(textType), t.Kind() == reflect.Interface:
		check(raw, t, path, ps)
	case t.Kind() == reflect.Struct:
		walkObject(raw, t, path, ps)
	case t.Kind() == reflect.Slice:
		var list []json.RawMessage
		if check(raw, reflect.TypeOf(list), path, ps) && json.Unmarshal(raw, &list) == nil {
			for i, e := range list {
				walkUnknown(e, t.Elem(), fmt.Sprintf("%s[%d]", path, i), ps)
			}
		}
	default:
		check(raw, t, path, ps)
	}
}

func walkObject(raw json.RawMessage, t reflect.Type, path string, ps *problems) {
	var members map[string]json.RawMessage
	if !check(raw, reflect.TypeOf(members), path, ps) || json.Unmarshal(raw, &members) != nil {
		return
	}
	known := fieldsOf(t)
	for _, name := range sortedKeys(members) {
		at := strings.TrimPrefix(path+"."+name, ".")
		if ft, ok := known[name]; ok {
			walkUnknown(members[name], ft, at, ps)
			continue
		}
		ps.at(at, "unknown member; known are %s", strings.Join(sortedKeys(known), ", "))
	}
}

// check reports whether raw decodes into a value of type t.
func check(raw json.RawMessage, t reflect.Type, path string, ps *problems) bool {
	if err := json.Unmarshal(raw, reflect.New(t).Interface()); err != nil {
		ps.at(path, "%v", err)
		return false
	}
	return true
}

// fieldsOf maps the JSON names of a struct's fields, embedded ones included,
// to their types.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.Anonymous && f.IsExported() && name != "" {
			out[name] = f.Type
		}
	}
	return out
}
