# Prints since when the edge runs as it is now: the newest change of its files (stdin: lines "applied at <seconds>") or
# start of one of $AGENTS; and when that was seen. All by this host's clock, as are its samples and lines.
set -eu
{
    cat
    for agent in $AGENTS; do
        echo "applied at $(date -d "$(docker inspect --type container -f '{{.State.StartedAt}}' "$agent")" +%s)"
    done
} | sed -n 's/^applied at //p' | sort -n | tail -n 1 | sed 's/^/applied at /'
echo "seen at $(date +%s)"
