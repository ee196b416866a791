# Puts the files that come in on stdin into $DIR, or leaves everything as it was. Follows incoming.sh.
#
# They are written to $DIR.next, checked there by $CHECK (the component's own tool in $IMAGE; also where only the image is
# another one), and moved over the live files one by one; a file that is not in stdin any more is removed. Then $RELOAD
# makes a running $CONTAINER read them. What still has to be read is remembered in $DIR.pending, so that a reload that
# failed is done again by the next run.
#
# $DIR is the folder of a service's secrets or, beside it, of its configuration. Secrets come first, because a new
# configuration may name new ones. The old configuration may still name one that is removed, then the reload fails: it is
# put back, and the run for the configuration removes it ($obsolete) before the process reads that configuration.
#
# $ACTION: `drift` prints what differs from stdin, one line each, and changes nothing; anything else deploys.
#
# $BASE is closed to every other user of the host (0700); inside it everything is readable, because a container's user is
# not ours and a mounted folder is reached without passing $BASE. That works alike for root and for a plain user.
set -eu
umask 077
next="$DIR.next"
pending="$DIR.pending"
gone="$DIR.gone"
service=$(dirname "$DIR")
obsolete="$service/secrets.obsolete"
looks=''
[ "${ACTION:-}" != drift ] || looks=$(mktemp -d)
[ -z "$looks" ] || next="$looks/next"
trap 'rm -rf "$next" ${looks:+"$looks"}' EXIT
trap 'exit 130' INT TERM HUP

if [ -z "$looks" ]; then
    mkdir -p "$BASE" "$DIR"
    chmod 700 "$BASE"
fi
rm -rf "$next"
receive '`make up`'
if [ -n "$problem" ]; then
    echo "$CONTAINER: $problem" >&2
    exit 1
fi
[ -n "$looks" ] || chmod -R u=rwX,go=rX "$DIR"
compare_files

if [ -n "$looks" ]; then
    report_files
    [ ! -s "$pending" ] || echo "container $CONTAINER: has not read its new files yet"
    exit 0
fi

# Makes the process read its secrets with those removed ones that its configuration names; fails if there are none, or if
# it cannot read that. Another one stays removed: no run for the configuration would follow that removes it.
put_back() {
    [ -d "$gone" ] && [ "$DIR" = "$service/secrets" ] && [ -d "$service/config" ] || return 1
    (cd "$gone" && find . -type f) | sed 's#^\./##' | while IFS= read -r file; do
        [ ! -e "$DIR/$file" ] || continue
        find "$service/config" -type f -exec cat {} + | grep -qF -e "$file" || continue
        echo "$file" >> "$obsolete"
        mkdir -p "$DIR/$(dirname "$file")"
        mv "$gone/$file" "$DIR/$file"
    done
    [ -s "$obsolete" ] || return 1
    chmod -R u=rwX,go=rX "$DIR"
    eval "$RELOAD" > /dev/null 2>&1
}

runs=$(docker inspect --type container -f '{{.Config.Image}}' "$CONTAINER" 2> /dev/null || true)
if [ -n "$CHECK" ] && { [ -n "$changed$removed" ] || [ "$runs" != "$IMAGE" ]; }; then
    code=0
    output=$(eval "$CHECK" 2>&1) || code=$?
    if [ "$code" != 0 ]; then
        echo "$output" >&2
        case $code in
            125 | 126 | 127) echo "$CONTAINER: the check of its configuration could not be run (Docker's message above); nothing was changed, what ran before still runs" >&2 ;;
            *) echo "$CONTAINER: $IMAGE rejects the new configuration (output above); the previous one stays in place and running" >&2 ;;
        esac
        exit 1
    fi
fi

[ -z "$changed$removed" ] || printf '%s\n' "$changed" "$removed" >> "$pending"
echo "$changed" | while read -r file; do
    [ -n "$file" ] || continue
    mkdir -p "$DIR/$(dirname "$file")"
    mv -f "$next/$file" "$DIR/$file"
done
echo "$removed" | while read -r file; do
    [ -n "$file" ] || continue
    mkdir -p "$gone/$(dirname "$file")"
    mv -f "$DIR/$file" "$gone/$file"
done
if [ -s "$obsolete" ]; then
    [ "$DIR" = "$service/secrets" ] || while IFS= read -r file; do rm -f "$service/secrets/$file"; done < "$obsolete"
    rm -f "$obsolete"
fi
chmod -R u=rwX,go=rX "$DIR"

state=$(docker inspect --type container -f '{{.State.Status}}' "$CONTAINER" 2>/dev/null || true)
if [ -s "$pending" ] && [ -n "$RELOAD" ]; then
    pending_files=$(cat "$pending")
    export pending_files
    case "$state" in
        running)
            if ! output=$(eval "$RELOAD" 2>&1) && ! put_back; then
                echo "$output" >&2
                echo "$CONTAINER: reloading the new files failed (output above); the next \`make up\` tries again" >&2
                exit 1
            fi
            ;;
        restarting | exited | paused) docker restart "$CONTAINER" > /dev/null ;;
    esac
fi
# Since when they are as they are: what depends on these files (the gate) wants nothing newer than that.
[ ! -s "$pending" ] && [ -s "$DIR.applied" ] || date +%s > "$DIR.applied"
rm -f "$pending"
rm -rf "$gone"
echo "applied at $(cat "$DIR.applied")"
