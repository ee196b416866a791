#!/bin/sh
# All tests: sets up what they need (Docker Engine, Pulumi CLI, plugins, images), then those that need none of it, then
# those with a real engine and real containers. Every part runs, whatever became of the one before; the exit code is not
# 0 if any failed. Ends with pytest's own summary. WORKERS=1 runs one stack at a time (three are about 2 GB of memory).
set -u
cd "$(dirname "$0")/.." || exit 1
failed=""
began=$(date +%s)

part() {
    name=$1
    shift
    start=$(date +%s)
    printf '\n== %s\n' "$name"
    if "$@"; then result=passed; else
        result="FAILED (exit code $?)"
        failed="$failed $name"
    fi
    printf '== %s: %s after %s s\n' "$name" "$result" "$(($(date +%s) - start))"
}

# Docker takes an inotify instance for each container log that is followed, and every stack here follows all containers:
# the kernel's usual 128 for root are not enough for several stacks and a fleet at once (cAdvisor then does not start).
limit=/proc/sys/fs/inotify/max_user_instances
before=$(cat "$limit")
if [ "$before" -lt 1024 ] && [ -w "$limit" ]; then
    echo "fs.inotify.max_user_instances: $before -> 1024 for this run"
    trap 'echo "$before" > "$limit"' EXIT
    trap 'exit 130' INT TERM
    echo 1024 > "$limit"
fi

sh tools/bootstrap.sh || exit 1
python=.venv/bin/python
part set-up "$python" -m tools setup --tests
[ -z "$failed" ] || exit 1 # nothing below could pass
part check sh tests/check.sh
printf '\n== integration (%s s after the beginning%s)\n' "$(($(date +%s) - began))" "${failed:+; FAILED so far:$failed}"
"$python" -m pytest -v --durations=40 -n "${WORKERS:-3}" --dist loadgroup -m "integration and not long" tests || failed="$failed integration"
[ -z "$failed" ]
