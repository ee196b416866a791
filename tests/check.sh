#!/bin/sh
# `make check`: everything that needs neither Docker nor the network once `make test` has run, for every save.
# Each part is run even if one before it failed, its output shown only then; the exit code says whether all passed.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
said=$(mktemp)
trap 'rm -f "$said"' EXIT
failed=''
begun=$(date +%s)

part() {
    name=$1
    shift
    since=$(date +%s)
    if "$@" > "$said" 2>&1; then
        result=ok
    else
        result=FAILED
        failed="$failed, $name"
        cat "$said"
    fi
    printf '%-22s %-7s %3s s   %s\n' "$name" "$result" "$(($(date +%s) - since))" "$(tail -n 1 "$said" | cut -c 1-60)"
}

part "ruff check" $bin/ruff check .
part "ruff format" $bin/ruff format --check .
part "mypy" $bin/mypy
# shellcheck disable=SC2046 # one word per file is meant, and no file name here has a space
part "yamllint" $bin/yamllint --strict $(git ls-files -co --exclude-standard '*.yaml' '*.yml')
if command -v shellcheck > /dev/null; then
    # shellcheck disable=SC2046
    part "shellcheck" shellcheck --shell=sh --exclude=SC2154 $(git ls-files -co --exclude-standard '*.sh')
fi
part "scan for secrets" $bin/python -m tools.scan
part "pytest" $bin/python -m pytest -q -n 2 -m "not integration" tests
echo "in all $(($(date +%s) - begun)) s"
[ -z "$failed" ] || echo "failed: ${failed#, }" >&2
[ -z "$failed" ]
