// Package jsonx reads and rewrites raw JSON without giving it a meaning.
//
// A gateway forwards most bytes as they came and changes a few. So nothing
// here builds a tree: values stay slices of the text they were found in, and
// everything that is not asked about keeps its exact bytes (number spelling,
// escapes, key order, white space).
//
// Where to begin reading: top.go and splice.go are the way in for requests
// (one scan at the door, edits as pieces); each.go walks any object or array;
// text.go and number.go turn a raw value into a Go value; quote.go and
// buffer.go write JSON; valid.go is the full grammar. skip.go is the engine
// under all of the readers.
//
// "raw" always means the bytes of one JSON value, with white space around it
// allowed. No function keeps a reference to its arguments after it returns,
// except where slices of them are the result. All functions may be called
// concurrently; Top and Buffer values belong to one goroutine at a time unless
// a method says otherwise.
package jsonx
