// Package weirtest holds what the tests of several packages share: contract
// suites for weir.Handler ([TestHandler]) and codec.Codec ([TestCodec],
// [TestCross]), the grammar of events as a check ([CheckEvents]), the loader of
// recorded traffic ([Recordings]), a fake upstream on a socket ([Upstream]) and
// one in memory for testing/synctest ([Memory]).
//
// A suite proves an implementation of an interface from the outside; what is
// peculiar to one implementation belongs in its own package's tests.
//
// Begin with handler.go and events.go; for the codecs with codec.go, then
// cross.go and rules.go, which is the table of what a translation may lose.
package weirtest
