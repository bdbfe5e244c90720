package rules

import (
	"maps"
	"reflect"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// celString is s in CEL.
func celString(s string) ref.Val { return types.String(s) }

// stringMap is a map of strings in CEL in which what is missing is empty, so
// that labels.team == "search" is false, and not an error, for a request
// without that label.
type stringMap map[string]string

var _ traits.Mapper = stringMap(nil)

// Find implements traits.Mapper: everything is found.
func (m stringMap) Find(key ref.Val) (ref.Val, bool) {
	k, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	return types.String(m[string(k)]), true
}

// Get implements traits.Indexer.
func (m stringMap) Get(key ref.Val) ref.Val {
	v, _ := m.Find(key)
	return v
}

// Contains implements traits.Container.
func (m stringMap) Contains(key ref.Val) ref.Val {
	k, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key)
	}
	_, has := m[string(k)]
	return types.Bool(has)
}

// Size implements traits.Sizer.
func (m stringMap) Size() ref.Val { return types.Int(len(m)) }

// Iterator implements traits.Iterable: the keys in order.
func (m stringMap) Iterator() traits.Iterator {
	return types.DefaultTypeAdapter.NativeToValue(slices.Sorted(maps.Keys(m))).(traits.Lister).Iterator()
}

// Equal implements ref.Val.
func (m stringMap) Equal(other ref.Val) ref.Val {
	o, ok := other.(stringMap)
	if !ok {
		return types.DefaultTypeAdapter.NativeToValue(map[string]string(m)).Equal(other)
	}
	return types.Bool(maps.Equal(m, o))
}

// ConvertToNative implements ref.Val.
func (m stringMap) ConvertToNative(t reflect.Type) (any, error) {
	return types.DefaultTypeAdapter.NativeToValue(map[string]string(m)).ConvertToNative(t)
}

// ConvertToType implements ref.Val.
func (m stringMap) ConvertToType(t ref.Type) ref.Val {
	return types.DefaultTypeAdapter.NativeToValue(map[string]string(m)).ConvertToType(t)
}

// Type implements ref.Val.
func (m stringMap) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (m stringMap) Value() any { return map[string]string(m) }
