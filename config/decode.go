package config

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/nearest"
)

// decoder fills a typed value from YAML nodes, remembers where each value was
// said, and goes on after an error so that all are reported at once.
type decoder struct {
	file     string
	lookup   Lookup
	problems Problems
	sources  map[string]Position
}

func (d *decoder) at(n *yaml.Node) Position {
	return Position{File: d.file, Line: n.Line, Column: n.Column}
}

func (d *decoder) problem(n *yaml.Node, path, hint, format string, args ...any) {
	d.problems = append(d.problems, &Problem{Position: d.at(n), Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	secretType   = reflect.TypeFor[Secret]()
	modelType    = reflect.TypeFor[Model]()
	quirksType   = reflect.TypeFor[codec.Quirks]()
)

func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.sources[path] = d.at(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	switch v.Type() {
	case modelType:
		d.model(n, v, path)
		return
	case quirksType:
		d.quirks(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	d.members(n, path, func(key, value *yaml.Node) {
		i := fieldByTag(v.Type(), key.Value)
		if i < 0 {
			names := tags(v.Type())
			hint := "known here: " + strings.Join(names, ", ")
			if near := nearest.Names(key.Value, slices.Values(names), 1); near != nil {
				hint = "did you mean " + near[0] + "?"
			}
			d.problem(key, join(path, key.Value), hint, "unknown key")
			return
		}
		d.value(value, v.Field(i), join(path, key.Value))
	})
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	d.members(n, path, func(key, value *yaml.Node) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(value, elem, join(path, key.Value))
		v.SetMapIndex(reflect.ValueOf(key.Value), elem)
	})
}

// members calls fn for every key of a mapping, refusing the same key twice:
// which of the two counts would depend on who reads.
func (d *decoder) members(n *yaml.Node, path string, fn func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.problem(n, path, "", "expected a mapping of keys to values, found %s", describe(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if line, ok := seen[key.Value]; ok {
			d.problem(key, join(path, key.Value), "", "said twice, first in line %d", line)
			continue
		}
		seen[key.Value] = key.Line
		fn(key, n.Content[i+1])
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	items := n.Content
	if n.Kind == yaml.ScalarNode && v.Type().Elem().Kind() == reflect.String {
		items = []*yaml.Node{n}
	} else if n.Kind != yaml.SequenceNode {
		d.problem(n, path, "", "expected a list, found %s", describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, v.Index(i), path+"["+strconv.Itoa(i)+"]")
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.problem(n, path, "", "expected %s, found %s", expected(v.Type()), describe(n))
		return
	}
	text, err := expand(n.Value, d.lookup)
	if err != nil {
		d.problem(n, path, "export it, put it in .env, or write ${NAME:-default}", "%v", err)
		return
	}
	if err := setScalar(v, text); err != nil {
		d.problem(n, path, "", "%v", err)
	}
}

func setScalar(v reflect.Value, text string) error {
	switch v.Type() {
	case durationType:
		return setDuration(v, text)
	case sizeType:
		size, err := ParseSize(text)
		v.SetInt(int64(size))
		return err
	case secretType:
		s, err := readSecret(text)
		v.SetString(string(s))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("expected true or false, found %q", text)
		}
		v.SetBool(b)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("expected a number, found %q", text)
		}
		v.SetFloat(f)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("expected a whole number, found %q", text)
		}
		v.SetInt(i)
	default:
		return fmt.Errorf("%s cannot be set from a file", v.Type())
	}
	return nil
}

func setDuration(v reflect.Value, text string) error {
	dur, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no duration; write for example 90s, 5m or 500ms", text)
	}
	if dur < 0 {
		return fmt.Errorf("%q is negative", text)
	}
	v.SetInt(int64(dur))
	return nil
}

// model reads the short forms of a Model: one deployment, or a list of them.
func (d *decoder) model(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.MappingNode {
		d.structure(n, v, path)
		return
	}
	d.list(n, v.FieldByName("Deployments"), path)
}

// quirks go through their own JSON names, strictly.
func (d *decoder) quirks(n *yaml.Node, v reflect.Value, path string) {
	var raw map[string]any
	if err := n.Decode(&raw); err != nil {
		d.problem(n, path, "", "expected a mapping of quirks, found %s", describe(n))
		return
	}
	data, err := json.Marshal(raw)
	if err != nil {
		d.problem(n, path, "", "%v", err)
		return
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v.Addr().Interface()); err != nil {
		d.problem(n, path, "the manual's page on providers lists the quirks", "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
}

func fieldByTag(t reflect.Type, name string) int {
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" && tag == name {
			return i
		}
	}
	return -1
}

func tags(t reflect.Type) []string {
	var out []string
	for field := range t.Fields() {
		if tag := field.Tag.Get("yaml"); tag != "" {
			out = append(out, tag)
		}
	}
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

func expected(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration"
	case t == sizeType:
		return "a size"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return "a whole number"
	}
	return "a text"
}
