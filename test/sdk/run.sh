#!/usr/bin/env bash
# Runs real client libraries, unchanged, against Weir: the programs that users
# start (weir sim, weir serve), and in front of them the clients for Go, Python
# and Node, and coding agents. It needs go, python3 with venv, node and npm; the
# clients' pinned versions are kept in .cache/sdk. All runners run, whichever
# fails; the result is 0 only when each ran tests and all passed.
#
#	test/sdk/run.sh [go] [python] [node] [agents]
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
sdk=$root/test/sdk
cache=$root/.cache/sdk
runners=("$@")
((${#runners[@]})) || runners=(go python node agents)

for tool in go python3 node npm; do
	command -v "$tool" >/dev/null || { echo "sdk: $tool is missing" >&2; exit 1; }
done

# What is set for somebody's own use of a client or a provider must not decide.
for name in $(compgen -e | grep -E '^(OPENAI|ANTHROPIC|GEMINI|GOOGLE|OLLAMA|WEIR)_' | grep -v '^WEIR_RECORDINGS$' || true); do
	unset "$name"
done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

work=$(mktemp -d)
pids=()
stop() {
	local pid
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do
		for _ in {1..50}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND... starts a weir in an empty environment and folder, and
# sets $address to where it says that it listens.
start() {
	local name=$1
	shift
	(cd "$work" && exec env -i PATH="$PATH" HOME="$work" "$work/weir" "$@" >"$name.out" 2>"$name.err") &
	pids+=($!)
	address=
	for _ in {1..200}; do
		address=$(sed -n 's,.*listens on \(http://[^ ]*\).*,\1,p' "$work/$name.out" | head -n 1)
		[[ -z $address ]] || return 0
		kill -0 "${pids[-1]}" 2>/dev/null || break
		sleep 0.05
	done
	echo "sdk: weir $* has not started:" >&2
	cat "$work/$name.out" "$work/$name.err" >&2
	return 1
}

# ready URL waits until the gateway wants requests.
ready() {
	for _ in {1..200}; do
		python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/readyz", timeout=5)' "$1" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "sdk: $1 does not get ready" >&2
	return 1
}

# config is a gateway with one provider of every protocol. Waits are short: the
# answers are to be seen, not the patience.
config() {
	cat <<-EOF
		listen: 127.0.0.1:0
		providers:
		  oai: {protocol: openai.chat, base_url: "$WEIR_SIM_URL/v1", key: upstream-key, models: [{id: listed-model}]}
		  ant: {protocol: anthropic.messages, base_url: "$WEIR_SIM_URL", key: upstream-key, models: [{id: listed-model}]}
		  res: {protocol: openai.responses, base_url: "$WEIR_SIM_URL/v1", key: upstream-key, models: [{id: listed-model}]}
		  gem: {protocol: gemini.generate, base_url: "$WEIR_SIM_URL", key: upstream-key, models: [{id: listed-model}]}
		  oll: {protocol: ollama.chat, base_url: "$WEIR_SIM_URL", key: upstream-key, models: [{id: listed-model}]}
		  con: {protocol: bedrock.converse, base_url: "$WEIR_SIM_URL", key: upstream-key, models: [{id: listed-model}]}
		models:
		  either: [oai/listed-model, ant/listed-model]
		retry: {max: 2s, classes: {rate_limit: &quick {base: 20ms, max: 2s, shape: exponential}, bad_gateway: *quick, unavailable: *quick, timeout: *quick, connection: *quick, server: *quick}}
		breaker: {off: true} # the tests make faults on purpose, again and again
		keep_alive: 150ms
		disconnect: {drain: 0s}
		drain: {timeout: 2s}
		log: {level: info, access: true}
	EOF
}

CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -o "$work/weir" ./cmd/weir
export WEIR_BIN=$work/weir
start sim sim --listen 127.0.0.1:0 --seed 1
export WEIR_SIM_URL=$address

config >"$work/open.yaml"
start open serve --config open.yaml
export WEIR_URL=$address

WEIR_KEY=$("$work/weir" keys new tester 2>"$work/key.txt")
export WEIR_KEY
{ config; sed -n '/^keys:/,$p' "$work/key.txt"; } >"$work/keyed.yaml"
start keyed serve --config keyed.yaml
export WEIR_KEYED_URL=$address
ready "$WEIR_URL"
ready "$WEIR_KEYED_URL"

# fresh FOLDER FILE... is true when the folder was not made from these files.
fresh() {
	local folder=$1
	shift
	[[ ! -f $folder/.made-from ]] || ! cat "$@" | cmp -s - "$folder/.made-from"
}

run_go() {
	local testsum=${TESTSUM:-$root/.cache/tools/testsum}
	[[ -x $testsum ]] || CGO_ENABLED=0 go build -o "$testsum" ./scripts/testsum
	bash "$sdk/copy-v1.sh" check
	# Cancellations are counted for the whole simulator: one package at a time.
	go -C "$sdk" test -json -count 1 -p 1 -timeout 5m ./... | "$testsum"
}

# Frameworks want other versions of the clients than those that are tested by
# themselves.
run_python() {
	local status=0
	# Each in a shell of its own, so that "set -e" holds in it.
	(set -e; python_tests . venv --ignore=frameworks) &
	wait $! || status=1
	(set -e; python_tests frameworks venv-frameworks) &
	wait $! || status=1
	return "$status"
}

# python_tests FOLDER VENV OPTION... runs the tests of a folder with the packages
# of its requirements.
python_tests() {
	local folder=$sdk/python/$1 venv=$cache/$2
	shift 2
	if fresh "$venv" "$folder/requirements.txt"; then
		rm -rf "$venv"
		python3 -m venv "$venv"
		"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$folder/requirements.txt"
		cp "$folder/requirements.txt" "$venv/.made-from"
	fi
	cd "$folder"
	PYTHONPATH=$sdk/python PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest -q -p no:cacheprovider --tb=short -rs "$@" .
}

run_node() { node_tests node; }

# Agents run at the same time as others: each has a folder of its own, and most
# of their time is waiting.
run_agents() {
	local venv=$cache/agents-venv
	if fresh "$venv" "$sdk/agents/requirements.txt"; then
		rm -rf "$venv"
		python3 -m venv "$venv"
		"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$sdk/agents/requirements.txt"
		cp "$sdk/agents/requirements.txt" "$venv/.made-from"
	fi
	export PATH=$PATH:$venv/bin
	node_tests agents
}

# node_tests FOLDER runs the tests of a folder with the packages of its lock file.
node_tests() {
	local modules=$cache/$1 log=$work/$1.log
	if fresh "$modules" "$sdk/$1/package-lock.json"; then
		rm -rf "$modules"
		mkdir -p "$modules"
		cp "$sdk/$1"/package*.json "$modules"
		(cd "$modules" && npm ci --silent --no-audit --no-fund --engine-strict=false)
		cp "$sdk/$1/package-lock.json" "$modules/.made-from"
	fi
	# Node looks for packages beside the file that imports them.
	rm -f "$modules"/*.mjs
	cp "$sdk"/node/stand.mjs "$modules"
	cp "$sdk/$1"/*.test.mjs "$modules"
	cd "$modules"
	local status=0
	node --test --test-concurrency=1 --test-reporter=tap --test-reporter-destination="$log" \
		--test-reporter=spec --test-reporter-destination="$log.spec" || status=$?
	((status == 0)) || sed -n '/failing tests:/,$p' "$log.spec"
	grep -E '^ *ok .*# SKIP' "$log" | sed 's/^ *ok [0-9]* - /SKIP\t/; s/ # SKIP/:/' || true
	if [[ ${CI:-} == true ]] && grep -E '^ *ok .*# SKIP' "$log" | grep -qv 'ALLOWED SKIP'; then
		echo 'sdk: skipped under CI=true without "ALLOWED SKIP" in the message' >&2
		status=1
	fi
	grep -E '^# (tests|pass|fail|cancelled|skipped|duration_ms) ' "$log" || status=1
	if ! grep -qE '^# pass [1-9]' "$log"; then
		echo "sdk: no test ran" >&2
		status=1
	fi
	return "$status"
}

failed=()
for runner in "${runners[@]}"; do
	echo "== sdk: $runner"
	# In a shell of its own, so that "set -e" holds in it.
	(set -e; "run_$runner") &
	wait $! || failed+=("$runner")
done
if ((${#failed[@]})); then
	echo "sdk: failed with ${failed[*]}" >&2
	for name in sim open keyed; do
		[[ ! -s $work/$name.err ]] || { echo "-- weir ($name), errors:"; grep -E 'level=ERROR|panic' "$work/$name.err" | tail -n 30 || true; } >&2
	done
	exit 1
fi
