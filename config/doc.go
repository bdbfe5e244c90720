// Package config reads weir.yaml: one typed struct that holds the defaults,
// the validation and its own documentation.
//
// The file is optional and so is everything in it. Unknown keys and wrong
// values are errors; all of them are reported at once, each with file, line,
// path and the nearest valid name. Values may refer to the environment as
// ${NAME} or ${NAME:-default}; that is resolved in scalars after parsing, so
// that a variable cannot add structure to the file.
//
// Begin with Config in config.go and Load in load.go; decode.go is the strict
// decoder, validate.go what the types alone cannot say, reference.go writes
// the manual's page.
package config
