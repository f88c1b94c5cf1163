#!/usr/bin/env bash
# Every operation of the API with valid and with invalid data, made from its own description.
#   python -m pip install 'schemathesis>=4' && benchmarks/fuzz.sh [examples an operation]
# Fails on any 5xx and on any answer that the description does not allow.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
key=mk_fuzz
hash=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
PYTHONPATH=src:. "${PYTHON:-python}" - "$work" <<'PYTHON'
import sys
from pathlib import Path
from tests.service.worlds import small_model
for version in ("v1", "v2"):
    small_model(Path(sys.argv[1]) / "models" / version)
PYTHON
MATINEE_MODEL=$work/models MATINEE_STORE=sqlite:///$work/ratings.db MATINEE_PORT=8766 \
  MATINEE_KEYS=fuzz:admin:$hash MATINEE_RATE_PER_S=1000000 MATINEE_BURST=1000000 \
  MATINEE_LOG_LEVEL=warning PYTHONPATH=src \
  "${PYTHON:-python}" -c 'from matinee.cli import main; main()' serve &
service=$!
trap 'kill $service; rm -rf "$work"' EXIT
until curl --silent --fail --output /dev/null http://127.0.0.1:8766/readyz; do sleep 0.2; done
schemathesis run http://127.0.0.1:8766/v1/openapi.json \
  --header "Authorization: Bearer $key" --phases examples,coverage,fuzzing,stateful --mode all \
  --max-examples "${1:-1000}" --continue-on-failure --request-timeout 20
