package gemini

import (
	"strconv"
	"strings"
)

// A generation is that of a Gemini model in tenths, 25 for 2.5; 0 when the name
// does not say.
type generation int

const (
	gen25 generation = 25 // the first that takes JSON Schema and thinks
	gen30 generation = 30 // the first that checks thought signatures and has levels
	gen40 generation = 40 // the first that refuses a thinking budget
)

// generationOf reads the generation from a model's name: "gemini-3.1-pro-preview"
// is 31. "gemini-flash-latest" is an alias of the newest, which is 3 or later
// since 2026 (models page, 2026-11).
func generationOf(model string) generation {
	name, ok := strings.CutPrefix(bareModel(model), "gemini-")
	if !ok {
		return 0
	}
	if strings.HasSuffix(name, "-latest") {
		return gen30
	}
	number, _, _ := strings.Cut(name, "-")
	major, minor, _ := strings.Cut(number, ".")
	m, err := strconv.Atoi(major)
	if err != nil || m < 1 || m > 99 {
		return 0
	}
	n, err := strconv.Atoi(minor)
	if err != nil || n < 0 || n > 9 {
		n = 0
	}
	return generation(10*m + n)
}

// isPro reports whether a model is of the line that cannot switch thinking off.
func isPro(model string) bool { return strings.Contains(model, "-pro") }

// takesJSONSchema reports whether a model's declarations may hold a JSON Schema:
// Gemini 2.5 and later, and whatever is not known to be older (structured output
// guide, 2026-08). dialect is the quirk that decides where it is set.
func takesJSONSchema(model, dialect string) bool {
	switch dialect {
	case dialectJSON:
		return true
	case dialectOpenAPI:
		return false
	}
	g := generationOf(model)
	return g == 0 || g >= gen25
}

// Values of codec.Quirks.SchemaDialect.
const (
	dialectJSON    = "json"
	dialectOpenAPI = "openapi"
)
