#!/bin/sh
# Everything that a change has to pass: `sh .ci/test.sh`, or some of the steps by name: `sh .ci/test.sh fmt clippy`.
# A failed step does not keep the others from running; the end names those that failed.
set -u
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

ALL="packages fmt clippy unit wasm_tree deny budget interop faults e2e"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
summary=""
failed=""

main() {
    for step in ${*:-$ALL}; do
        case " $ALL " in
            *" $step "*) run "$step" ;;
            *) echo "no step is called $step; there are: $ALL" >&2; exit 2 ;;
        esac
    done
    printf '\n%s' "$summary"
    [ -z "$failed" ] || { df -Ph . "$logs"; echo "FAILED:$failed"; exit 1; } # A full disk fails everything that writes, and says so nowhere else.
    echo "All passed."
}

# Shows the step's output as it comes and keeps the runners' closing lines for the end.
run() {
    printf '\n== %s\n' "$1"
    began=$(date +%s)
    { "step_$1" 2>&1; echo "$?" >"$logs/status"; } | tee "$logs/$1"
    outcome=passed
    [ "$(cat "$logs/status")" = 0 ] || { outcome=FAILED; failed="$failed $1"; }
    closing=$(grep -E '^test result:|^test .* FAILED$|^ +[0-9]+ (passed|failed|flaky|did not run)|^ +[0-9]+\) |^ +Error: |^skipped:|^[a-z-]+ +(held|FAILED) |^first visit|^HTML and' "$logs/$1" | sed 's/^ */    /')
    summary="$summary$outcome $1, $(($(date +%s) - began)) s
${closing:+$closing
}"
}

step_packages() {
    missing=""
    need mosquitto mosquitto
    need mosquitto_pub mosquitto-clients
    chromium >/dev/null || missing="$missing chromium"
    need node nodejs
    need npm npm
    # For the client that most users write devices with.
    need python3 python3
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
    browser_target || return 1
    [ -n "$missing" ] || { echo "nothing is missing"; return 0; }
    if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then
        # shellcheck disable=SC2086 # A list of words.
        apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
    else
        echo "please install:$missing (the names of the Debian packages)"
        return 1
    fi
}

# The standard library for the browser's half. rustup installs it with the toolchain, but not to a toolchain that was there before.
browser_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] || rustup target add wasm32-unknown-unknown
}

# A program on the PATH, or in the folder for system services; else its package is noted as missing.
need() {
    command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}

chromium() {
    for browser in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
        [ -x "$browser" ] && echo "$browser" && return 0
    done
    return 1
}

step_fmt() {
    cargo fmt --all --check
}

# The two sides apart: `ssr` and `hydrate` together are neither.
step_clippy() {
    # With the feature that is off by default: what it adds is checked in some seconds, and would take a minute to build.
    cargo clippy --workspace --exclude frontend --all-targets --features server/parquet -- -D warnings &&
        cargo clippy --package frontend --target wasm32-unknown-unknown --target-dir target/wasm -- -D warnings
}

step_unit() {
    native test --no-fail-fast
}

# All that runs here is built in one way. With other packages or without tests it would have other features, for which most of what it depends on
# would be built once more.
native() {
    command=$1
    shift
    cargo "$command" --workspace --exclude frontend "$@"
}

# A program of ours, with its arguments.
ours() {
    program=$1
    shift
    native build --quiet --all-targets && "${CARGO_TARGET_DIR:-target}/debug/$program" "$@"
}

# What only a server needs must never reach the browser.
step_wasm_tree() {
    tree=$(cargo tree --package frontend --target wasm32-unknown-unknown --edges normal --prefix none --format '{p} {f}') || return 1
    if echo "$tree" | grep -E '^(sqlx|rumqttc|axum|mio|mqtt5|hyper|socket2)[a-z0-9_-]* v|^tokio v[^ ]* .*\bnet\b'; then
        echo "the browser's code depends on the above"
        return 1
    fi
    echo "$(echo "$tree" | sort -u | wc -l) crates, none of them a server's"
}

step_deny() {
    if ! command -v cargo-deny >/dev/null; then
        echo "skipped: cargo-deny is not installed (cargo install cargo-deny), licenses and sources were not checked"
        return 0
    fi
    cargo deny --offline check licenses bans sources
}

step_budget() {
    modules && ours xtask budget
}

# The embedded broker as other clients know it, and under SIGKILL.
step_interop() {
    sh end2end/interop/run.sh
}

# Kills, cuts and hostile devices, those of `make faults` that are decided by what is stored and not by a clock.
step_faults() {
    ours bench faults story server-killed all-killed poison payloads packets disorder
}

step_e2e() {
    CHROMIUM=$(chromium) || { echo "please install: chromium"; return 1; }
    export CHROMIUM
    modules &&
        sh end2end/paho/venv.sh >/dev/null &&
        ours xtask site &&
        npm --prefix end2end test
}

# The browser tests' modules, wasm-opt among them.
modules() {
    [ end2end/node_modules/.package-lock.json -nt end2end/package-lock.json ] ||
        PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --prefix end2end --no-audit --no-fund
}

main "$@"
