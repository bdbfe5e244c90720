#!/usr/bin/env bash
# Lets the gateway run for SOAK (30m) between clients of every protocol and an
# upstream that breaks on command, and prints what is left over and what the
# clients saw. Fails when something is left over: see bench/cmd/soak.
set -euo pipefail
cd "$(dirname "$0")/.."
soak=${SOAK:-30m}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -o "$dir" ./cmd/weir ./bench/cmd/soak
"$dir/soak" -weir "$dir/weir" -for "$soak"
