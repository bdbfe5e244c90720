package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Reference is the manual's table of every key, in Markdown, made from the
// types: what it says is what is read.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	rows(&b, reflect.ValueOf(*Default()), "")
	return b.String()
}

func rows(b *strings.Builder, v reflect.Value, path string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "" {
			continue
		}
		at := join(path, tag)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", at, typeName(f.Type), defaultOf(v.Field(i)), strings.ReplaceAll(f.Tag.Get("doc"), "|", "\\|"))
		below(b, v.Field(i), at)
	}
}

// below writes the rows of what v holds: a struct, or the elements of a map or
// a list of structs.
func below(b *strings.Builder, v reflect.Value, at string) {
	t := v.Type()
	switch {
	case t == quirksType || t.Kind() == reflect.Pointer && t.Elem() == quirksType:
	case t.Kind() == reflect.Struct:
		rows(b, v, at)
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		rows(b, reflect.New(t.Elem()).Elem(), at)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		rows(b, reflect.New(t.Elem()).Elem(), at+".NAME")
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		rows(b, reflect.New(t.Elem()).Elem(), at+"[]")
	}
}

func typeName(t reflect.Type) string {
	switch t {
	case durationType:
		return "duration"
	case sizeType:
		return "size"
	case secretType:
		return "secret"
	case modelType:
		return "text, list or mapping"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return "list"
	case reflect.Map, reflect.Struct:
		return "mapping"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Bool:
		return "bool"
	}
	return "text"
}

func defaultOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Struct || v.Kind() == reflect.Map || v.Kind() == reflect.Slice || v.IsZero() && v.Kind() == reflect.String {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return "`" + shortDuration(x) + "`"
	case Size:
		return "`" + x.String() + "`"
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// shortDuration is d without the zero units that Duration.String leaves at the
// end: 5m and not 5m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
