package gemini

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readTools reads the list of tools: the functions of all of its entries, and
// what Google runs itself, each with its definition as it stands.
func readTools(b *weir.Body, at *path, raw []byte) error {
	b.Tools = []weir.Tool{}
	_, err := list(at, raw, func(_ int, at *path, v []byte) error {
		return at.Each(v, func(key string, at *path, v []byte) error {
			if camel(key) == "functionDeclarations" {
				_, err := list(at, v, func(_ int, at *path, v []byte) error {
					t, err := readFunction(at, v)
					b.Tools = append(b.Tools, t)
					return err
				})
				return err
			}
			if jsonx.IsNull(v) {
				return nil
			}
			var whole jsonx.Buffer
			whole.BeginObject()
			whole.RawField(key, v)
			whole.EndObject()
			b.Tools = append(b.Tools, weir.Tool{Type: weir.ToolHosted, Name: camel(key), Raw: whole.B})
			return nil
		})
	})
	return err
}

// readFunction reads a declaration. Its parameters become JSON Schema, and are
// remembered as they were written.
func readFunction(at *path, raw []byte) (weir.Tool, error) {
	t := weir.Tool{Type: weir.ToolFunction}
	err := eachSaid(at, raw, &t.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "name":
			t.Name, err = at.Need(v)
		case "description":
			if t.Description, err = at.Str(v); t.Description == "" {
				spell(&t.Extra, at.Name(), v)
			}
		case "parameters", "parametersJsonSchema":
			if jsonx.KindOf(v) != jsonx.KindObject {
				return at.Wrong("a schema", v)
			}
			spell(&t.Extra, at.Name(), v)
			t.Schema = append([]byte(nil), v...)
			if key == "parameters" {
				t.Schema = jsonSchema(v)
			}
		default:
			t.Extra.Add(at.Name(), v)
		}
		return err
	})
	if err == nil && t.Name == "" {
		name := at.Key("name")
		err = name.Wrong("a string", nil)
	}
	return t, err
}

// readToolConfig reads how free the model is. What has no word is kept under the
// path that it has.
func readToolConfig(b *weir.Body, at *path, raw []byte) error {
	b.ToolChoice = nil
	return at.Each(raw, func(key string, at *path, v []byte) error {
		switch {
		case jsonx.IsNull(v):
			return nil
		case camel(key) == "functionCallingConfig":
			c, err := readCalling(at, v)
			b.ToolChoice = c
			return err
		}
		b.Extra.Add("toolConfig."+camel(key), v)
		return nil
	})
}

// anyOfAll takes the names out of a choice among all functions that there are.
func anyOfAll(c *weir.ToolChoice, tools []weir.Tool) {
	if c == nil || c.Mode != weir.ToolModeRequired || len(c.Names) == 0 {
		return
	}
	for i := range tools {
		if tools[i].Type == weir.ToolHosted || !slices.Contains(c.Names, tools[i].Name) {
			return
		}
	}
	c.Names = nil
}

// callingModes are the modes of functionCallingConfig, by name and number.
var callingModes = map[string]weir.ToolMode{
	"MODE_UNSPECIFIED": weir.ToolModeAuto, "AUTO": weir.ToolModeAuto, "ANY": weir.ToolModeRequired,
	"NONE": weir.ToolModeNone, modeValidated: weir.ToolModeAuto,
	"0": weir.ToolModeAuto, "1": weir.ToolModeAuto, "2": weir.ToolModeRequired, "3": weir.ToolModeNone, "4": weir.ToolModeAuto,
}

// modeValidated lets the model choose and constrains what it calls.
const modeValidated = "VALIDATED"

func readCalling(at *path, raw []byte) (*weir.ToolChoice, error) {
	c := &weir.ToolChoice{Mode: weir.ToolModeAuto}
	err := at.Each(raw, func(key string, at *path, v []byte) error {
		switch {
		case jsonx.IsNull(v):
		case camel(key) == "mode":
			word := strings.ToUpper(strings.Trim(string(v), `"`))
			if c.Mode = callingModes[word]; c.Mode == "" {
				return weir.Invalid(at.String(), "%s: expected AUTO, ANY, NONE or VALIDATED", at)
			}
			if word == modeValidated || word == "4" {
				c.Extra.Add("mode", []byte(`"VALIDATED"`))
			}
		case camel(key) == "allowedFunctionNames":
			_, err := list(at, v, func(_ int, at *path, v []byte) error {
				name, err := at.Need(v)
				c.Names = append(c.Names, name)
				return err
			})
			return err
		default:
			c.Extra.Add(at.Name(), v)
		}
		return nil
	})
	if c.Mode == weir.ToolModeRequired && len(c.Names) == 1 {
		c.Mode = weir.ToolModeNamed
	}
	return c, err
}
