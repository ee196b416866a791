# Makes the edge on $HOST what comes in on stdin, or leaves it as it is: a Compose project in $DIR, a folder of $BASE.
#
# Follows pull.sh and scrapes.sh.
#
# stdin: for each file a line "==> relative/name <==" and then its text; "==> . <==" ends it, so that an input cut short
# is not taken for files that are to be removed. $NUMBERS lists the containers; of each number n there are $ROLE_n,
# $KEY_n (of its image under `images`), $IMAGE_n, $CHECK_n (shell: its own tool looks at the new files in $next), $RELOAD_n
# (shell: it reads its files again) and $HEALTH_n (its health check as shell words). $PUSHERS are roles that send data to
# the hub, $JOINING those that join $NETWORKS (one each line).
#
# Order: pull what is missing, check with the images that will run, move the files over the live ones one by one, start,
# wait until everything is healthy, reload what only changed its files, join networks. What fails before the move leaves
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
seen() { docker inspect --type container -f "$2" "$PREFIX-$1" 2> /dev/null || true; }
compose() { docker compose --progress quiet --project-directory "$DIR" -f "$DIR/compose.yaml" "$@"; }
listed() { printf '%s\n' "$2" | grep -qxF -e "$1"; }
unfinished() { rm -rf "$next"; }

[ "${ACTION:-}" != drift ] || next=$(mktemp -d)/next
trap '[ -z "${placed:-}" ] || restore_scrapes; unfinished; [ "${ACTION:-}" != drift ] || rmdir "$(dirname "$next")"' EXIT
trap 'exit 130' INT TERM HUP
if [ "${ACTION:-}" != drift ]; then
    mkdir -p "$BASE" "$DIR"
    chmod 700 "$BASE"
    exec 9> "$DIR.lock"
    # An update whose connection broke may still be running.
    if command -v flock > /dev/null && ! flock -w "$PATIENCE" 9; then
        fail "another update of this host did not end within $PATIENCE s (\`fuser $DIR.lock\` there shows its process); run the update again"
    fi
    restore_scrapes # of an update that was killed
fi

# The new files.
unfinished
mkdir "$next"
code=0
output=$(awk -v dir="$next" '
    /^==> \. <==$/ { whole = 1; next }
    /^==> .+ <==$/ {
        if (file) close(file)
        file = dir "/" substr($0, 5, length($0) - 8)
        folder = file
        sub(/\/[^\/]*$/, "", folder)
        if (!made[folder]++) system("mkdir -p \"" folder "\"")
        printf "" > file
        next
    }
    { print > file }
    END { exit whole ? 0 : 9 }
' 2>&1) || code=$?
[ "$code" != 9 ] || fail "the input with the new files was cut short, nothing was changed; run the update again"
[ "$code" = 0 ] && [ -z "$output" ] || fail "the new files cannot be written to $next, nothing was changed: $output"
chmod -R u=rwX,go=rX "$next"
changed=$(cd "$next" && find . -type f | sed 's#^\./##' | sort | while read -r file; do
    cmp -s "$next/$file" "$DIR/$file" || echo "$file"
done)
removed=$([ ! -d "$DIR" ] || cd "$DIR" && find . -type f | sed 's#^\./##' | sort | while read -r file; do
    [ -e "$next/$file" ] || echo "$file"
done)
touched=$(printf '%s\n' "$changed" "$removed" | sed -n 's#/.*##p' | sort -u)

fingerprint() {
    seen "$1" '{{.Image}} {{.Config.Image}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.Env}} {{json .Config.User}}
{{json .Config.Healthcheck}} {{index .Config.Labels "com.docker.compose.config-hash"}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}
{{.HostConfig.NanoCpus}} {{json .HostConfig.RestartPolicy}} {{json .HostConfig.LogConfig}} {{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}}
{{json .HostConfig.SecurityOpt}} {{json .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .HostConfig.Tmpfs}} {{json .HostConfig.Devices}}
{{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}} {{json .HostConfig.PortBindings}}' |
        cksum | tr ' ' -
}
# Each container's role, image and fingerprint.
containers() {
    for n in $NUMBERS; do
        role=$(of ROLE "$n")
        echo "$role $(seen "$role" '{{.Image}}') $(fingerprint "$role")"
    done
}
# The networks of ours and of the user that a container is on, and those of $NETWORKS that it should join.
joined() { seen "$1" '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}'; }

if [ "${ACTION:-}" = drift ]; then
    printf '%s\n' "$changed" | while IFS= read -r file; do
        [ -n "$file" ] || continue
        if [ -e "$DIR/$file" ]; then echo "file $DIR/$file: edited"; else echo "file $DIR/$file: gone"; fi
    done
    printf '%s\n' "$removed" | sed -n "s#^..*#file $DIR/&: not ours#p"
    if [ -s "$pending" ]; then echo "files that were not read yet: $(tr '\n' ' ' < "$pending")"; fi
    networks=$(docker network ls --format '{{.Name}}')
    for n in $NUMBERS; do
        role=$(of ROLE "$n")
        status=$(seen "$role" '{{.State.Status}}')
        if [ -z "$status" ]; then
            echo "container $PREFIX-$role: missing"
            continue
        fi
        [ "$status" = running ] || echo "container $PREFIX-$role: $status"
        was=$(sed -n "s/^$role //p" "$DIR.containers" 2> /dev/null || true)
        image=$(seen "$role" '{{.Image}}')
        if [ "$image" != "${was% *}" ]; then
            echo "container $PREFIX-$role: another image ($(seen "$role" '{{.Config.Image}}'), $image)"
        elif [ "$(fingerprint "$role")" != "${was#* }" ]; then
            echo "container $PREFIX-$role: another definition than the update gave it"
        fi
        case " $JOINING " in
            *" $role "*)
                on=$(joined "$role")
                printf '%s\n' "$NETWORKS" | while IFS= read -r network; do
                    [ -z "$network" ] || listed "$network" "$on" || ! listed "$network" "$networks" ||
                        echo "container $PREFIX-$role: not in the network $network"
                done
                ;;
        esac
    done
    docker ps -a --filter "label=com.docker.compose.project=$PREFIX" --format '{{.Names}} {{.Label "com.docker.compose.service"}}' | while read -r name service; do
        for n in $NUMBERS; do [ "$service" != "$(of ROLE "$n")" ] || continue 2; done
        echo "container $name: not ours, in our Compose project"
    done
    exit 0
fi

# `up --remove-orphans` would remove what is not ours.
strange=$(docker ps -a --filter "label=com.docker.compose.project=$PREFIX" --format '{{.Names}} {{.Label "fleetwatch.stack"}}' | awk 'NF == 1 { print $1 }' | tr '\n' ' ')
[ -z "$strange" ] || fail "a Compose project on it has the name $PREFIX too (${strange% }); choose another \`prefix\` in the stack file, or remove that project"

pull_missing

# Check: each role whose files or image change, with the image that will run.
for n in $NUMBERS; do
    role=$(of ROLE "$n") check=$(of CHECK "$n")
    [ -n "$check" ] || continue
    if ! listed "$role" "$touched" && [ "$(seen "$role" '{{.Config.Image}}')" = "$(of IMAGE "$n")" ]; then continue; fi
    code=0
    output=$(eval "$check" 2>&1) || code=$?
    [ "$code" != 0 ] || continue
    echo "$output" >&2
    [ "$code" != 125 ] || fail "$PREFIX-$role: the check of its configuration could not be run (Docker's message above). Nothing was changed, what runs goes on"
    fail "$PREFIX-$role: $(of IMAGE "$n") rejects its configuration (output above). Nothing was changed, what runs goes on"
done
output=$(docker compose --project-directory "$DIR" -f "$next/compose.yaml" config -q 2>&1) ||
    fail "Docker Compose rejects compose.yaml: $output. Nothing was changed, what runs goes on"

# Move.
printf '%s\n' "$changed" "$removed" | sed -n '/\//p' >> "$pending" ||
    fail "the list of the changed files cannot be written to $pending (see above), nothing was changed"
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
[ -z "$changed$removed" ] && [ -s "$DIR.applied" ] || date +%s > "$DIR.applied"

# Start. Compose renames a container that replaces another one last: one that was not is of an update that was killed.
docker ps -a --filter "label=com.docker.compose.project=$PREFIX" --filter label=com.docker.compose.oneoff=False \
    --format '{{.Names}} {{.Label "com.docker.compose.service"}}' | while read -r name service; do
    [ "$name" = "$PREFIX-$service" ] || docker rm -f "$name" > /dev/null
done
# A stopped container that is on a network which is gone would not start.
networks=$(docker network ls --format '{{.Name}}')
force=''
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    state=$(seen "$role" '{{.State.Running}} {{.Id}} {{.State.StartedAt}}')
    eval "WAS_$n=\${state#* }"
    [ "${state%% *}" != false ] || joined "$role" | while IFS= read -r network; do
        [ -z "$network" ] || listed "$network" "$networks" || docker network disconnect -f "$network" "$PREFIX-$role" 2> /dev/null || true
    done
    if [ "${ACTION:-}" = repair ] && [ -n "$state" ]; then
        was=$(sed -n "s/^$role //p" "$DIR.containers" 2> /dev/null || true)
        [ "$(seen "$role" '{{.Image}}') $(fingerprint "$role")" = "$was" ] || force="$force $role"
    fi
done
[ -z "$force" ] || docker rm -f $(for role in $force; do echo "$PREFIX-$role"; done) > /dev/null
code=0
output=$(compose up -d --remove-orphans --pull never --no-build 2>&1 9>&-) || code=$?
[ "$code" = 0 ] || fail "Docker Compose could not start what is in $DIR: $(printf '%s' "$output" | tail -n 3)
Correct that and run the update again; \`docker compose ps -a\` in that folder shows what runs"

# Wait until the new ones are healthy: by their own checks, at once and not at the next interval.
fresh=''
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    is=$(seen "$role" '{{.Id}} {{.State.StartedAt}}')
    eval "was=\$WAS_$n"
    if [ "$is" = "$was" ]; then
        [ "$(seen "$role" '{{.State.Health.Status}}')" != healthy ] || continue
    else
        fresh="$fresh $role"
        sed -i "/^$(printf '%s' "$role" | sed 's/[.]/\\./g')\//d" "$pending" 2> /dev/null || true # it has read them at its start
    fi
    tries=0
    until eval "docker exec $PREFIX-$role $(of HEALTH "$n")" > /dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge "$HEALTHY" ]; then
            docker logs --tail 20 "$PREFIX-$role" >&2 || true
            fail "$PREFIX-$role did not become healthy within $HEALTHY s; it is $(seen "$role" '{{.State.Status}}, exit code {{.State.ExitCode}}'), its log is above"
        fi
        sleep 1
    done
done

# Reload.
for n in $NUMBERS; do
    role=$(of ROLE "$n") reload=$(of RELOAD "$n")
    pending_files=$(sed -n "s#^$role/[a-z]*/##p" "$pending" 2> /dev/null || true)
    [ -n "$pending_files" ] && [ -n "$reload" ] || continue
    CONTAINER="$PREFIX-$role"
    export pending_files CONTAINER
    if ! output=$(eval "$reload" 2>&1); then
        echo "$output" >&2
        fail "$CONTAINER: reloading the new files failed (output above); the next update tries again"
    fi
done
rm -f "$pending"
find "$DIR" -mindepth 1 -depth -type d -empty -exec rmdir {} \;

# Networks of the user. One that is gone is no reason to be without the rest.
for role in $JOINING; do
    on=$(joined "$role")
    printf '%s\n' "$NETWORKS" | while IFS= read -r network; do
        [ -n "$network" ] || continue
        if ! listed "$network" "$networks"; then
            echo "host $HOST: warning: hosts.$HOST.networks: the Docker network $network does not exist there now; \`make up\` joins it once it does" >&2
        else
            listed "$network" "$on" || docker network connect "$network" "$PREFIX-$role"
        fi
    done
    printf '%s\n' "$on" | while IFS= read -r network; do
        [ -z "$network" ] || listed "$network" "$NETWORKS" || case " $OWN " in *" $network "*) ;; *) docker network disconnect "$network" "$PREFIX-$role" ;; esac
    done
done
containers > "$DIR.containers"

# The targets, where anything changed; unchanged ones were scraped within the last interval.
scraped=$(($(date +%s) - OLDEST))
if [ -n "$fresh" ] || [ -n "$touched" ]; then
    case " $fresh $(echo $touched) " in *' agent '*) scrape_fast ;; esac
    scrape_slow
fi

# Since when the edge runs as it does (the newest change of its files, or start of one that pushes), since when each job
# has a sample, and what changed just now. All by this host's clock, as are its samples and lines.
recent=300 # seconds; about what an update takes, so two in quick succession are both named
now=$(date +%s)
applied=$(cat "$DIR.applied") just=''
for n in $NUMBERS; do
    role=$(of ROLE "$n")
    at=$(date -d "$(seen "$role" '{{.State.StartedAt}}')" +%s)
    case " $PUSHERS " in *" $role "*) [ "$at" -le "$applied" ] || applied=$at ;; esac
    if [ "$at" -ge $((now - recent)) ] || listed "$role" "$touched"; then just="$just $role"; fi
done
echo "applied at $applied"
echo "scraped at $scraped"
echo "changed$just"
