#!/usr/bin/env bash
# Makes the oracle vectors of test/oracle/ anew, with pinned Python packages in an environment of its own.
# usage: scripts/oracle.sh [ENVIRONMENT_FOLDER]     (default: .oracle-env; needs python3 with venv, and a package index)
set -euo pipefail
cd "$(dirname "$0")/.."
environment=${1:-.oracle-env}
if [ ! -x "$environment/bin/python" ]; then
  python3 -m venv "$environment" || { echo "cannot make $environment: install python3-venv" >&2; exit 1; }
fi
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
  numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 statsmodels==0.15.0 pandas==3.1.1 pyarrow==26.0.1 river==0.26.1 nannyml==0.13.1 mpmath==1.4.1 \
  msgpack==1.1.2 opentelemetry-proto==1.38.0
"$environment/bin/python" -W ignore test/oracle/generate.py examples/flights test/oracle
"$environment/bin/python" -W ignore test/oracle/generate-numeric.py test/oracle
"$environment/bin/python" -W ignore test/oracle/generate-forest.py
"$environment/bin/python" test/oracle/forest-sets.py test/oracle/forest-sets.json
"$environment/bin/python" test/oracle/forest-explanation.py test/oracle/forest-explanation.json
"$environment/bin/python" test/oracle/episode-budget.py
"$environment/bin/python" -W ignore test/oracle/generate-shares.py test/oracle
"$environment/bin/python" test/oracle/counts.py test/oracle/counts.json
"$environment/bin/python" test/oracle/stream.py > test/oracle/stream.json
"$environment/bin/python" -W ignore test/oracle/estimate.py test/oracle/estimate.json > /dev/null
"$environment/bin/python" -W ignore test/oracle/estimate-flights.py examples/flights test/oracle/estimate-flights.json
"$environment/bin/python" -W ignore test/oracle/performance.py test/oracle/performance.json
"$environment/bin/python" -W ignore test/oracle/tails.py test/oracle/tails.json
"$environment/bin/python" test/oracle/influence.py > test/oracle/influence.json
"$environment/bin/python" -W ignore test/oracle/versions.py test/oracle/versions.json
"$environment/bin/python" test/oracle/thompson.py test/oracle/thompson.json
"$environment/bin/python" -W ignore test/oracle/pairs.py test/oracle/pairs.json
"$environment/bin/python" test/oracle/wire-formats.py test/fixtures/formats
git --no-pager diff --stat -- test/oracle test/fixtures
