package deptest

// A rule says what the packages of one pattern may import.
//
// A pattern is a path below the module's root. It names itself; "x/..." names x
// and everything below it; "." is the root package.
type rule struct {
	pkg string
	// may lists the packages of this module that pkg may import. Every package
	// may import itself (an external test package does).
	may []string
	// not takes packages out of may.
	not []string
	// tests lists what the package's tests may import beyond may and testsMay.
	tests []string
	// stdOnly forbids everything from outside both the standard library and
	// this module.
	stdOnly bool
	// why is the idea behind the rule, for the reader of a failure.
	why string
}

var anything = []string{"./..."}

// rules covers every package of the module. The first rule that names a package
// governs it.
var rules = []rule{
	{pkg: ".", stdOnly: true, why: "the words import only the standard library"},
	{pkg: "internal/sse", stdOnly: true, why: "framing has no meaning"},
	{pkg: "internal/eventstream", stdOnly: true, why: "framing has no meaning"},
	{pkg: "internal/jsonx", stdOnly: true, why: "splicing raw JSON has no meaning"},

	{pkg: "internal/nearest", stdOnly: true, why: "names that resemble a name have no meaning"},
	{pkg: "internal/h1", stdOnly: true, why: "a transport has no meaning"},

	{pkg: "codec", may: []string{".", "internal/jsonx"}, why: "codec is what all protocols share, and knows none"},
	{
		pkg: "codec/all", may: []string{".", "codec/..."},
		why: "all is the list of the protocols and nothing else",
	},
	{
		pkg: "codec/...", may: []string{".", "codec", "internal/jsonx", "internal/sse", "internal/eventstream"},
		why: "a protocol does not know another protocol",
	},

	// The quirks that the data declares are checked when it is loaded, against
	// the type that carries them out; hence codec.
	{pkg: "catalog", may: []string{".", "codec", "internal/nearest"}, why: "the catalog is data"},
	{pkg: "price", may: []string{".", "catalog"}, why: "money is computed from usage and the catalog"},
	{pkg: "tokens", may: []string{".", "catalog"}, why: "an estimate needs the model's family, and no protocol"},
	{
		// codec/all, so that a library's user has a provider with one import;
		// internal/eventstream, since Bedrock's InvokeModel wraps a stream of
		// another protocol into frames, which is transport and not the protocol's.
		pkg: "provider", may: []string{".", "codec", "codec/all", "catalog", "internal/jsonx", "internal/h1", "internal/eventstream"},
		why: "a provider is data: it speaks through the codec it is given",
	},

	{
		pkg: "stage/route", may: []string{".", "tokens", "price", "catalog", "stage/breaker", "internal/nearest"},
		why: "route may know breaker, and is else a stage like the others",
	},
	{
		pkg: "stage/rules", may: []string{".", "tokens", "price", "catalog", "internal/nearest"},
		why: "a stage like the others, whose expressions are written by people, who mistype",
	},
	{
		pkg: "stage/replay", may: []string{".", "tokens", "price", "catalog"}, tests: []string{"stage/replay/replaytest"},
		why: "a stage like the others, whose own store passes the suite for its stores",
	},
	{
		pkg: "stage/thread", may: []string{".", "tokens", "price", "catalog"}, tests: []string{"stage/thread/threadtest"},
		why: "a stage like the others, whose own store passes the suite for its stores",
	},
	{pkg: "stage/thread/threadtest", may: []string{".", "stage/thread"}, why: "it is the contract of the stores of stage/thread"},
	{
		pkg: "stage/...", may: []string{".", "tokens", "price", "catalog"},
		why: "a stage never knows a codec, a provider, a store or another stage",
	},
	{pkg: "authn", may: []string{"."}, why: "authn turns credentials into a principal"},
	{pkg: "batch", may: []string{"."}, why: "batch runs over a Handler and its own store interface"},
	{
		pkg: "store/...", may: []string{".", "stage/...", "batch"},
		why: "a store gives a body to the interfaces that others declare",
	},
	{
		pkg: "config", may: []string{".", "catalog", "codec", "stage/...", "internal/nearest"},
		why: "the file is made of the stages' option structs and builds nothing",
	},
	{
		pkg: "gateway", may: anything, not: []string{"server/...", "cmd/..."},
		why: "gateway builds the chain; the faces stand in front of it",
	},
	{
		pkg: "server/...", may: []string{".", "codec/...", "authn", "gateway", "server/...", "internal/jsonx", "internal/sse", "stage/thread"},
		tests: []string{"catalog", "config", "stage/ledger"},
		// stage/thread, since its state is what the Responses API's other paths are about.
		why: "a face speaks protocols and calls the gateway; it knows no stage but the one whose state it serves, no provider, no store",
	},

	{pkg: "sim", may: []string{".", "codec/...", "internal/..."}, why: "the simulated upstream is the codecs' server halves"},
	{pkg: "weirtest/faultproxy", stdOnly: true, why: "it breaks bytes, whatever they mean"},
	{
		pkg: "weirtest", may: []string{".", "codec/...", "sim", "internal/..."},
		why: "the contract suites are used by all and know only the words",
	},
	{pkg: "cmd/weir/...", may: anything, why: "the command wires everything"},
	{pkg: "examples/...", may: anything, why: "an example shows anything"},
	{pkg: "bench/...", may: anything, why: "a benchmark measures anything"},
	{pkg: "scripts/...", may: anything, why: "a script is part of no program"},
	{pkg: "internal/deptest", may: anything, why: "it holds no code"},
	{pkg: "internal/pkgdoc", may: anything, why: "it describes every package"},
}

// testsMay lists what the test files of every package may import beyond the
// package's own rule: the words, the protocols, the suites and the upstream
// they run against.
var testsMay = []string{".", "codec/...", "weirtest/...", "sim"}
