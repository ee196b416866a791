# Prints since when these services run as they do now: the newest change of their files (stdin: lines "<role> applied at
# <seconds>") or start of one of $AGENTS; when that was seen; and which of $ROLES changed just now, by the same times.
# All by this host's clock, as are its samples and lines.
set -eu
recent=300 # seconds; about what an update takes, so two in quick succession are both named
revisions=$(
    cat
    for role in $ROLES; do
        at=$(docker inspect --type container -f '{{.State.StartedAt}}' "$PREFIX-$role")
        case " $AGENTS " in *" $role "*) word=applied ;; *) word=started ;; esac
        echo "$role $word at $(date -d "$at" +%s)"
    done
)
printf '%s\n' "$revisions" | sed -n 's/^.* applied at /applied at /p' | sort -n -k 3 | tail -n 1
now=$(date +%s)
echo "seen at $now"
# shellcheck disable=SC2016 # awk's own variables
printf '%s\n' "$revisions" | awk -v since=$((now - recent)) '
    $3 == "at" && $4 >= since && !seen[$1]++ { line = line " " $1 }
    END { print "changed" line }
'
