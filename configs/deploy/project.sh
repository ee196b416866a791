# Makes the edge on $HOST what comes in on stdin, or leaves it as it is: a Compose project in $DIR, a folder of $BASE.
#
# Follows pull.sh, incoming.sh, mounts.sh, containers.sh, scrapes.sh, trial.sh and backlog.sh.
#
# $NUMBERS lists the containers; of each number n there are $ROLE_n,
# $KEY_n (of its image under `images`), $IMAGE_n, $CHECK_n (shell: its own tool looks at the new files in $next), $RELOAD_n
# (shell: it reads its files again) and $HEALTH_n (its health check as shell words). $PUSHERS are roles that send data to
# the hub, $JOINING those that join $NETWORKS (one each line).
#
# Order: pull what is missing, check with the images that will run, move the files over the live ones one by one, start,
# wait until what is new is healthy, reload what only changed its files, join networks. What fails before the move leaves
# everything as it was; what is stopped later is continued by the next run. $DIR.pending lists files that were moved and
# not read yet. $DIR.containers holds what the containers looked like after the last run.
#
# $ACTION: `drift` prints what differs from all that, one line each, and changes nothing; `repair` also makes containers
# again that were changed by hand; anything else deploys.
#
# $BASE is closed to every other user of the host (0700); inside it everything is readable, because a container's user is
# not ours and a mounted folder is reached without passing $BASE. That works alike for root and for a plain user.
set -eu
umask 077
next="$DIR.next"
pending="$DIR.pending"
unset COMPOSE_PROFILES COMPOSE_IGNORE_ORPHANS COMPOSE_REMOVE_ORPHANS COMPOSE_ENV_FILES # of somebody's own shell
compose() { docker compose --progress quiet -p "$PREFIX" --project-directory "$DIR" "$@"; }
unfinished() { rm -rf "$next" "$DIR.targets"; }

if [ "${ACTION:-}" = drift ]; then
    next=$(mktemp -d)/next
else
    output=$(mkdir -p "$BASE" "$DIR" 2>&1 && chmod 700 "$BASE" 2>&1 && touch "$DIR.lock" 2>&1) ||
        fail "its folder cannot be written, nothing was changed: $output"
    exec 9> "$DIR.lock"
    # An update whose connection broke may still be running. Busybox's flock has no option to wait for some time.
    waited=0
    while command -v flock > /dev/null && ! flock -n 9; do
        [ "$waited" -lt "$PATIENCE" ] ||
            fail "another update of this host did not end within $PATIENCE s (\`fuser $DIR.lock\` there shows its process); run the update again"
        waited=$((waited + 1))
        sleep 1
    done
    restore_scrapes # of an update that was killed
    end_trial
fi
# Not before: $next may be that of another update.
ended() {
    [ "${ACTION:-}" = drift ] || { restore_scrapes; end_trial; }
    unfinished
    [ "${ACTION:-}" != drift ] || rmdir "$(dirname "$next")"
}
trap ended EXIT
trap 'exit 130' INT TERM HUP
docker version > /dev/null 2>&1 || fail "Docker does not answer, nothing was changed: $(docker version --format '{{.Server.Version}}' 2>&1 | tail -n 1)"

# The new files.
unfinished
receive 'the update'
[ -z "$problem" ] || fail "$problem"
adapt_mounts
compare_files
touched=$(printf '%s\n' "$changed" "$removed" | sed -n 's#/.*##p' | sort -u)

if [ "${ACTION:-}" = drift ]; then
    differences
    exit 0
fi

# `up --remove-orphans` would remove what is not ours.
strange=$(docker ps -a --filter "label=com.docker.compose.project=$PREFIX" --format '{{.Names}} {{.Label "fleetwatch.stack"}}' | awk 'NF == 1 { print $1 }' | tr '\n' ' ')
[ -z "$strange" ] || fail "a Compose project on it has the name $PREFIX too (${strange% }); choose another \`prefix\` in the stack file, or remove that project"

pull_missing
look

# Check: each role whose files or image change, with the image that will run.
for n in $NUMBERS; do
    role=$(of ROLE "$n") check=$(of CHECK "$n")
    [ -n "$check" ] || continue
    if ! listed "$role" "$touched" && [ "$(saw "$role" 5)" = "$(of IMAGE "$n")" ]; then continue; fi
    code=0
    output=$(eval "$check" 2>&1) || code=$?
    [ "$code" != 0 ] || continue
    echo "$output" >&2
    case $code in
        125 | 126 | 127) fail "$PREFIX-$role: the check of its configuration could not be run (Docker's message above). Nothing was changed, what runs goes on" ;;
    esac
    fail "$PREFIX-$role: $(of IMAGE "$n") rejects its configuration (output above). Nothing was changed, what runs goes on"
done
! listed compose.yaml "$changed" || output=$(compose -f "$next/compose.yaml" config -q 2>&1) ||
    fail "Docker Compose rejects compose.yaml: $output. Nothing was changed, what runs goes on"

# Move. First what has to be read, so that a run that is stopped here leaves nothing unread. A container does not see
# a folder or hosts file that was removed by hand and made again: its mount leads to the old one until it is restarted.
later=$(printf '%s\n' "$changed" "$removed" | grep / || true)
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    for folder in config secrets; do
        [ ! -d "$next/$role/$folder" ] || [ -d "$DIR/$role/$folder" ] || later="$later
$role/restart"
    done
    case " $PUSHERS " in *" $role "*)
        [ ! -e "$next/hosts" ] || [ -e "$DIR/hosts" ] || later="$later
$role/restart"
        ;;
    esac
done
[ -z "$later" ] || output=$(printf '%s\n' "$later" 2>&1 >> "$pending") ||
    fail "$pending cannot be written, nothing was changed: $output"
printf '%s\n' "$changed" | while IFS= read -r file; do
    [ -n "$file" ] || continue
    mkdir -p "$DIR/$(dirname "$file")"
    # A mounted file stays the same one; a program reads a hosts file again by itself.
    if [ "$file" = hosts ] && [ -e "$DIR/hosts" ]; then cat "$next/hosts" > "$DIR/hosts"; else mv -f "$next/$file" "$DIR/$file"; fi
done
printf '%s\n' "$removed" | while IFS= read -r file; do
    [ -z "$file" ] || rm -f "$DIR/$file"
done
chmod -R u=rwX,go=rX "$DIR"
[ -z "$changed$removed" ] && [ ! -s "$pending" ] && [ -s "$DIR.applied" ] || date +%s > "$DIR.applied"

# Start. Compose renames a container that replaces another one last: one that was not is of an update that was killed.
docker ps -a --filter "label=com.docker.compose.project=$PREFIX" --filter label=com.docker.compose.oneoff=False \
    --format '{{.Names}} {{.Label "com.docker.compose.service"}}' | while read -r name service; do
    [ "$name" = "$PREFIX-$service" ] || docker rm -f "$name" > /dev/null
done
force='' are=''
[ "${ACTION:-}" != repair ] || are=$(containers)
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    eval "WAS_$n=\$(saw \"$role\" 3)/\$(saw \"$role\" 4)"
    case $(saw "$role" 2) in
        paused) docker unpause "$PREFIX-$role" > /dev/null ;;
        created | exited | dead) leave_gone_networks "$role" ;;
    esac
    is=$(listed_as "$role" "$are")
    [ -z "$is" ] || listed "$role $is" "$(cat "$DIR.containers" 2> /dev/null)" || force="$force $PREFIX-$role"
done
for n in $NUMBERS; do
    [ "$(of ROLE "$n")" != agent ] || drain "$(of KEY "$n")"
done
# Stopped first: what a container holds is written when it ends.
# shellcheck disable=SC2086 # a list of names
[ -z "$force" ] || { docker stop $force > /dev/null && docker rm -f -v $force > /dev/null; }
code=0
output=$(compose -f "$DIR/compose.yaml" up -d --remove-orphans --pull never --no-build 2>&1 9>&- < /dev/null) || code=$?
[ "$code" = 0 ] || fail "Docker Compose could not start what is in $DIR: $(printf '%s' "$output" | tail -n 3)
Correct that and run the update again; \`docker compose ps -a\` in that folder shows what runs"

look
fresh='' first=''
# The new ones. They have read their files at their start.
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    eval "was=\$WAS_$n"
    is=$(saw "$role" 3)/$(saw "$role" 4)
    [ "$is" != / ] || fail "$PREFIX-$role is not there after its start (\`docker inspect $PREFIX-$role\` there shows the reason); run the update again"
    if [ "$is" = "$was" ]; then
        grep -qxF "$role/restart" "$pending" 2> /dev/null || continue
        docker restart "$PREFIX-$role" > /dev/null
    fi
    await "$n"
    fresh="$fresh $role"
    [ "$role" != agent ] || [ "$was" != / ] || first=yes
    [ ! -e "$pending" ] || awk -v role="$role" 'index($0, role "/") != 1' "$pending" > "$pending.left"
    [ ! -e "$pending" ] || mv -f "$pending.left" "$pending"
done

# Reload. One that is not healthy may become so by the new files, so it is not waited for before.
for n in $NUMBERS; do
    role=$(of ROLE "$n") reload=$(of RELOAD "$n")
    pending_files=$(unread "$role")
    if [ -n "$pending_files" ] && [ -n "$reload" ]; then
        CONTAINER="$PREFIX-$role"
        export pending_files CONTAINER
        [ "$(saw "$role" 2)" = running ] || reload="docker restart $CONTAINER"
        if ! output=$(eval "$reload" 2>&1); then
            echo "$output" >&2
            fail "$CONTAINER: reloading the new files failed (output above); the next update tries again"
        fi
    fi
    case " $fresh " in
        *" $role "*) ;;
        *) [ "$(saw "$role" 6)" = healthy ] || await "$n" ;;
    esac
done
rm -f "$pending"
find "$DIR" -mindepth 1 -depth -type d -exec rmdir {} \; 2> /dev/null || true # the empty ones

join_networks
report_shared_names
containers > "$DIR.containers"

# The targets. Where the agent is not new, the hub has samples of the last interval.
scraped=$(($(date +%s) - OLDEST)) now=''
if [ -n "$first" ]; then
    scrape_first
    now=$scraped
    begin_trial # not earlier: the agent's restart ends the network that it uses
    read_targets "$SLOW"
    report_trial
elif [ -n "$fresh" ] || [ -n "$touched" ]; then
    judged=''
    case " $fresh $(printf '%s' "$touched" | tr '\n' ' ') " in *' agent '*) judged=yes ;; esac
    [ -z "$judged" ] || { begin_trial; scrape_apps_again; }
    check_locked
    read_targets "$READ"
    [ -z "$judged" ] || report_trial
fi

# Since when the edge runs as it does (the newest change of its files, or start of one that pushes), since when each job
# has a sample, and any job a newer one, and what changed just now. All by this host's clock, as are its samples and lines.
recent=300 # seconds; about what an update takes, so two in quick succession are both named
seen_at=${now:-$(date +%s)} now=$(date +%s)
applied=$(cat "$DIR.applied") just=''
look
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    # Not every date reads fractions and the time zone.
    at=$(date -u -d "$(saw "$role" 4 | sed 's/[.Z].*//; s/T/ /')" +%s)
    case " $PUSHERS " in *" $role "*) [ "$at" -le "$applied" ] || applied=$at ;; esac
    if [ "$at" -ge $((now - recent)) ] || listed "$role" "$touched"; then just="$just $role"; fi
done
echo "applied at $applied"
echo "scraped at $scraped"
echo "seen at $seen_at"
echo "changed$just"
