// Package sim is a simulated upstream. It answers without a network, a key or
// a bill, deterministically: the same request gets the same answer.
//
// There are two layers. [Model] is a weir.Handler that makes an answer out of
// the request: text in the language of the question, tool calls with arguments
// that fit their schema, reasoning, structured output, usage. [NewServer] puts
// it behind HTTP with the server halves of the codecs, and plays faults on
// command: statuses, stalls, resets, cuts, malformed frames.
//
// A fault is asked for, the first of these counting, by the request's header
// X-Sim-Fault; by the model's name ("sim@status=503;times=2": what follows the @
// of a name that begins with sim); or by a [Rule], from ServerOptions.Faults or
// POST /_sim/faults. Its words are those of [Fault]; an unknown one is answered
// with a 400 that lists them.
//
// Begin with model.go, then plan.go (what is answered) and script.go (as which
// events); for the wire, server.go, then fault.go (the words of the fault
// language) and player.go (how they are played).
package sim
