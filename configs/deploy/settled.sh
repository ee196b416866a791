# Prints which of $ROLES changed just now: "changed <roles>", by the newest change of their files (stdin: lines "<role>
# applied at <seconds>") or the start of their containers, by this host's clock.
set -eu
recent=300 # seconds; about what an update takes, so two in quick succession are both named
{
    cat
    for role in $ROLES; do
        at=$(docker inspect --type container -f '{{.State.StartedAt}}' "$PREFIX-$role")
        echo "$role started at $(date -d "$at" +%s)"
    done
} | awk -v since=$(($(date +%s) - recent)) '
    $3 == "at" && $4 >= since && !seen[$1]++ { line = line " " $1 }
    END { print "changed" line }
'
