#!/usr/bin/env bash
# Measures what the gateway costs; bench/README.md says how to read it.
#
#	bench/run.sh              everything, about eight minutes
#	QUICK=1 bench/run.sh      the most telling cells, about a minute
#	CELLS='chat-c64 *-flat' bench/run.sh
#	PROFILE=1 CELLS=chat-c64 bench/run.sh
#
# Further: ROUNDS=5, DURATION=5s, ACCESS_LOG=1, WEIR=path/of/a/binary, MICRO=0 (only the binary)
# or MICRO=only (only the functions), WEIR_BENCH_TOOLS=folder of the instrument.
set -euo pipefail
cd "$(dirname "$0")/.."

out=.cache/bench
bin=$out/bin
tools=${WEIR_BENCH_TOOLS:-../shared/bench}
mkdir -p "$bin"

# The hot paths by themselves, with their allocations.
micro() {
	local time=200ms
	[[ -n ${QUICK:-} ]] && time=20ms
	echo "== functions of the hot path, ${time} each"
	go test -run '^$' -bench . -benchmem -benchtime "$time" ./bench/ | tee "$out/micro.txt"
}

# The built binary beside a bare reverse proxy.
whole() {
	if [[ ! -f $tools/upstream/main.go || ! -f $tools/load/main.go ]]; then
		cat >&2 <<-END

			NO BENCHMARK OF THE BINARY WAS MADE: the mock upstream and the load generator
			are not at $tools.
			They are kept apart from this project. Put them there, or say where they are:
			  WEIR_BENCH_TOOLS=/path/to/bench make bench
			They must be a Go module with the programs ./upstream and ./load; see
			bench/README.md for the flags and the output that are relied upon.
		END
		[[ ${CI:-} != true ]]
		return
	fi
	echo "== building"
	CGO_ENABLED=0 go build -C "$tools" -o "$(realpath "$bin")/" ./upstream ./load
	CGO_ENABLED=0 go build -trimpath -o "$bin/" ./bench/baseline ./bench/cmd/weirbench
	local args=(-bin "$bin" -out "$out/latest.md")
	if [[ -n ${PROFILE:-} ]]; then
		CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -o "$bin/" ./bench/cmd/profweir
		args+=(-profile)
	elif [[ -z ${WEIR:-} ]]; then
		make --no-print-directory build
	fi
	args+=(-weir "${WEIR:-bin/weir}")
	[[ -n ${QUICK:-} ]] && args+=(-quick)
	[[ -n ${ROUNDS:-} ]] && args+=(-rounds "$ROUNDS")
	[[ -n ${DURATION:-} ]] && args+=(-duration "$DURATION")
	[[ -n ${ACCESS_LOG:-} ]] && args+=(-access-log)
	[[ -n ${CELLS:-} ]] && args+=(-cells "$CELLS")
	"$bin/weirbench" "${args[@]}"
	[[ -n ${PROFILE:-} ]] || echo "written to $out/latest.md"
}

if [[ ${MICRO:-} != only ]]; then
	whole
fi
if [[ ${MICRO:-} != 0 && -z ${PROFILE:-} && -z ${CELLS:-} ]]; then
	micro
fi
