// Package weir holds the words of a layer between programs and large language
// models: what is asked ([Request], [Body], [Message], [Block]), what comes
// back ([Event], [Usage], [Finish], [Note]), what can go wrong ([Error], with a
// closed set of kinds) and the one interface that everything is built from
// ([Handler]).
//
// It imports the standard library only. Every other package of the module
// gives these words a body: codec speaks the wire formats, provider makes the
// calls, stage/… adds retries, fallback, limits and bookkeeping by wrapping a
// Handler in a Handler, server puts HTTP faces in front.
//
// Begin with handler.go, then event.go and request.go.
//
// Four rules hold in every package:
//
//  1. Instructions travel inward in the Request, facts travel outward as Events.
//  2. The call's lifetime is the range statement: a defer in a stage runs on
//     every path.
//  3. One commit gate decides whether an attempt may still be thrown away.
//  4. Bytes are remembered, not bypassed: what nobody edited is sent on as it
//     was received, through the same stages as everything else.
package weir
