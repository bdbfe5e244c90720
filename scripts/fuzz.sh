#!/usr/bin/env bash
# Fuzzes every fuzz target of the module for FUZZTIME (10s) each, as many at a
# time as there are cores. Fails on the first input that breaks one; go test has
# then written it below testdata/fuzz, where it belongs in the commit that mends
# the code.
set -euo pipefail
cd "$(dirname "$0")/.."
fuzztime=${FUZZTIME:-10s}
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
work=$(mktemp -d)
cache=$(go env GOCACHE)/fuzz/weir
mkdir -p "$cache"
trap 'rm -rf "$work"' EXIT

# At the end of its time a fuzz run may fail with nothing but "context deadline
# exceeded": a race in go test (golang/go#75804), mended in Go 1.27. Such a run
# found nothing wrong, but did not end well either, so it is made again. One
# worker each, since the targets share the cores.
fuzz() {
	local target=$1 dir=$2 program=$3 log try
	log=$(mktemp -p "$work")
	for try in 1 2 3; do
		if (cd "$dir" && "$program" -test.run "^$target\$" -test.fuzz "^$target\$" -test.fuzztime "$fuzztime" \
			-test.fuzzcachedir "$cache/${dir//\//_}" -test.parallel 1) >"$log" 2>&1; then
			printf 'ok  \t%s %s\t%s\n' "$dir" "$target" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
			return
		fi
		if grep -q 'Failing input written to' "$log" || ! grep -q '^ *context deadline exceeded$' "$log"; then
			break
		fi
		echo "$dir $target: go test ran into its own deadline (golang/go#75804); try $try of 3"
	done
	cat "$log"
	touch "$work/failed"
}

count=0
while read -r dir; do
	# Most packages have none; go test -list would build them all to say so.
	grep -qsE '^func Fuzz[A-Z]' "$dir"/*_test.go || continue
	# One program for all targets of a package: to link takes longer than to fuzz.
	program=$work/$(basename "$dir")-$count
	go test -c -fuzz=Fuzz -o "$program" "$dir"
	listed=$("$program" -test.list '^Fuzz')
	for target in $(grep '^Fuzz' <<<"$listed" || true); do
		while (($(jobs -rp | wc -l) >= cores)); do wait -n; done
		[[ -e $work/failed ]] && break 2
		fuzz "$target" "${dir/#$PWD/.}" "$program" &
		count=$((count + 1))
	done
done < <(go list -f '{{.Dir}}' ./...)
wait
if [[ -e $work/failed ]]; then
	exit 1
fi
if ((count == 0)); then
	echo "no fuzz target found, so nothing was tried"
	exit 1
fi
echo "$count fuzz targets, $fuzztime each: nothing found"
