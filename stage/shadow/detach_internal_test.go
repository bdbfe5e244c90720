package shadow

import (
	"reflect"
	"testing"

	"github.com/weir-gateway/weir"
)

// Whatever bytes a body may hold, the detached copy shares none of them. The
// body is filled by its type, so that a new field cannot be forgotten.
func TestADetachedBodySharesNoBytes(t *testing.T) {
	buffer := []byte("received")
	body := &weir.Body{}
	fill(reflect.ValueOf(body).Elem(), buffer, 0)
	own := detached(body)
	if !reflect.DeepEqual(body, own) {
		t.Fatal("the copy is another body")
	}
	for i := range buffer {
		buffer[i] = 'x'
	}
	if where := find(reflect.ValueOf(own).Elem(), "Body"); where != "" {
		t.Errorf("%s belongs to the client's request", where)
	}
}

// fill sets everything below v, with raw wherever bytes are.
func fill(v reflect.Value, raw []byte, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 8 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), raw, depth+1)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, raw, depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(raw)
		} else if depth < 8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), raw, depth+1)
		}
	case reflect.String:
		v.SetString("s")
	}
}

// find is where bytes of the filled buffer are found below v; empty when nowhere.
func find(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return find(v.Elem(), path)
		}
	case reflect.Struct:
		for of, field := range v.Fields() {
			if where := find(field, path+"."+of.Name); where != "" {
				return where
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if string(v.Bytes()) != "received" && v.Len() > 0 {
				return path
			}
			return ""
		}
		for i := range v.Len() {
			if where := find(v.Index(i), path+"[0]"); where != "" {
				return where
			}
		}
	}
	return ""
}
