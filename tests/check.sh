#!/bin/sh
# `make check`: all checks and tests that need no Docker Engine. The first run builds the programs that the tests use
# (promtool, amtool and so on; several minutes), later ones need no network. Every part runs even if an earlier one
# failed; its output is shown only if it failed. The exit code is 0 only if all passed.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=''
began=$(date +%s)

part() {
    name=$1
    shift
    since=$(date +%s)
    if "$@" > "$output" 2>&1; then
        result=ok
    else
        result=FAILED
        failed="$failed, $name"
        cat "$output"
    fi
    printf '%-22s %-7s %3s s   %s\n' "$name" "$result" "$(($(date +%s) - since))" "$(tail -n 1 "$output" | cut -c 1-60)"
}

part "ruff check" $bin/ruff check .
part "ruff format" $bin/ruff format --check .
part "mypy" $bin/mypy
# shellcheck disable=SC2046 # one word per file is meant, and no file name here has a space
part "yamllint" $bin/yamllint --strict $(git ls-files -co --exclude-standard '*.yaml' '*.yml')
if command -v shellcheck > /dev/null; then
    # shellcheck disable=SC2046
    part "shellcheck" shellcheck $(git ls-files -co --exclude-standard '*.sh')
else
    printf '%-22s %s\n' "shellcheck" "not run: it is not installed"
fi
part "scan for secrets" $bin/python -m tools scan
# Its progress is shown. If a program cannot be built, the tests that need it fail and name it.
since=$(date +%s)
if $bin/python -m tools test-programs; then result=ok; else result=FAILED failed="$failed, test programs"; fi
printf '%-22s %-7s %3s s\n' "test programs" "$result" "$(($(date +%s) - since))"
part "own files" $bin/python -m tools custom
part "pytest" $bin/python -m pytest -q -n 4 -m "not integration" tests
echo "in all $(($(date +%s) - began)) s"
[ -z "$failed" ] || echo "failed: ${failed#, }" >&2
[ -z "$failed" ]
