#!/bin/sh
# The interop gate of the embedded broker: builds it, then runs our own MQTT suite against it and against Debian's
# mosquitto, and kills clients and brokers under load. Usage: end2end/interop/run.sh [PYTHON]
set -eu
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
python=$(sh end2end/paho/venv.sh "${1:-python3}")

# As everything that is tested (see .ci/test.sh): another choice of packages would be built apart.
cargo build --quiet --workspace --exclude frontend --all-targets
"$python" end2end/interop/gate.py "$target/debug/examples/broker"
"$python" end2end/interop/kill.py "$target/debug/examples/broker"
