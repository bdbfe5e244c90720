package gemini

// OpenAPISchema is openAPISchema for tests, its notes as "path: detail".
func OpenAPISchema(raw []byte) (out []byte, notes []string) {
	out, found := openAPISchema(raw)
	for _, n := range found {
		notes = append(notes, n.path+": "+n.detail)
	}
	return out, notes
}

// JSONSchema is jsonSchema for tests.
func JSONSchema(raw []byte) []byte { return jsonSchema(raw) }

// Generation is that of a model for tests.
func Generation(model string) int { return int(generationOf(model)) }
