#!/usr/bin/env bash
# Everything that is checked, in one command (npm test). The last line is always `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
results=build/test-results.json
rm -f "$results"

closing_line() {
  local status=$?
  node scripts/closing-line.mjs "$results" "$status" || status=1
  exit "$status"
}
trap closing_line EXIT

bash scripts/install-test-deps.sh
npm run --silent build
npm run --silent lint
npm run --silent typecheck
# Two workers: the engine, the broker and the browser run beside them.
NODE_OPTIONS=--experimental-vm-modules npx jest --maxWorkers=2 --json --outputFile="$results"
