#!/bin/sh
# The interop gate of the embedded broker: builds it, then runs our own MQTT suite against it and against Debian's
# mosquitto, and kills clients and brokers under load. Usage: end2end/interop/run.sh [PYTHON]
set -eu
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.."
python=${1:-python3}
target=${CARGO_TARGET_DIR:-target}
venv=$target/interop-venv

cargo build --quiet --package server --example broker
if ! "$venv/bin/python" -c 'from importlib.metadata import version; assert version("paho-mqtt") == "2.1.0"' 2>/dev/null; then
    "$python" -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check paho-mqtt==2.1.0
fi
"$venv/bin/python" end2end/interop/gate.py "$target/debug/examples/broker"
"$venv/bin/python" end2end/interop/kill.py "$target/debug/examples/broker"
