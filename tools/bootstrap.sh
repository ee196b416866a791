#!/bin/sh
# Makes the virtualenv in .venv with the locked packages. Finds a Python >= 3.10 that can make one; as root on Debian or
# Ubuntu it installs python3-venv, saying so. A second run compares a stamp and ends at once.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
stamp=.venv/fleetwatch-stamp
want="$(cksum <requirements.txt) $here"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

fail() {
    echo "fleetwatch: $*" >&2
    exit 1
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

quietly() {
    if ! "$@" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        return 1
    fi
}

python=$(find_python)
if [ -z "$python" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "no Python 3.10 or newer with its venv module was found. On Debian or Ubuntu: sudo apt-get install python3-venv"
    fi
    echo "No Python that can make a virtualenv; installing python3-venv with apt (you are root)."
    quietly apt-get -q update || fail "apt-get update failed; its last lines are above."
    DEBIAN_FRONTEND=noninteractive quietly apt-get -q -y --no-install-recommends install python3 python3-venv ||
        fail "python3-venv could not be installed; apt's last lines are above."
    python=$(find_python)
    [ -n "$python" ] || fail "this system's Python is older than 3.10: install a newer one and put it on PATH."
fi

# Its programs name it by its path: one that was copied or moved here, or lost its Python, is recreated.
usable() {
    .venv/bin/python -m pip --version >/dev/null 2>&1 && head -n 1 .venv/bin/pip | grep -qF "$here/.venv/"
}
if [ -d .venv ] && ! usable; then rm -rf .venv; fi
if [ ! -d .venv ]; then
    echo "Making the virtualenv .venv with $("$python" --version)"
    quietly "$python" -m venv .venv || fail "the virtualenv could not be made; the last lines are above."
fi
echo "Installing the locked Python packages into .venv (first time about a minute)"
quietly .venv/bin/python -m pip --disable-pip-version-check install --no-input --require-hashes -r requirements.txt ||
    fail "the Python packages could not be installed (is a Python package index reachable?); pip's last lines are above."
echo "$want" >"$stamp"
