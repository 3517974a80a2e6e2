#!/bin/sh
# A Python with the client that most users write devices with. Prints the path of its interpreter. Usage: end2end/paho/venv.sh [PYTHON]
set -eu
cd "$(dirname "$0")/../.."
venv=${CARGO_TARGET_DIR:-target}/paho-venv
if ! "$venv/bin/python" -c 'from importlib.metadata import version; assert version("paho-mqtt") == "2.1.0"' 2>/dev/null; then
    "${1:-python3}" -m venv --clear "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check paho-mqtt==2.1.0 >&2
fi
echo "$venv/bin/python"
