# Functions for project.sh about the containers $PREFIX-<role> of an edge: what they look like, in what they differ from
# the last update, their health, their networks. Variables are those of project.sh.
set -eu
seen() { docker inspect --type container -f "$2" "$PREFIX-$1" 2> /dev/null || true; }
listed() { printf '%s\n' "$2" | grep -qxF -e "$1"; }
all() { for n in $NUMBERS; do echo "$PREFIX-$(of ROLE "$n")"; done; }
# One look at all containers, for `saw`: starting the docker CLI for each question is most of what an update costs.
# `index`, because a container that was made by hand may have no health check, and then no such field.
look() {
    # shellcheck disable=SC2046 # a list of names
    looked=$(docker inspect --type container -f '{{.Name}} {{.State.Status}} {{.Id}} {{.State.StartedAt}} {{.Config.Image}} {{with index .State "Health"}}{{.Status}}{{else}}none{{end}}' $(all) 2> /dev/null || true)
}
# What the last look found of the role $1: 2 its status, 3 its id, 4 its start, 5 its image, 6 its health.
saw() { printf '%s\n' "$looked" | awk -v name="/$PREFIX-$1" -v column="$2" '$1 == name { print $column }'; }
# Of each container that is there its role, its image's id and a number for all that defines it. Left out: its host name,
# which each new container has, and what is empty, because another version of the engine has other fields.
containers() {
    # shellcheck disable=SC2046 # a list of names
    { docker inspect --type container -f '{{.Name}} {{.Image}} {{json .HostConfig}} {{json .Config}}' $(all) 2> /dev/null || true; } |
        while read -r name image definition; do
            print=$(printf '%s\n' "$definition" | sed 's/"Hostname":"[^"]*"//; s/"[A-Za-z]*":\(null\|false\|0\|""\|\[\]\|{}\),*//g' | cksum | tr ' ' -)
            echo "${name#"/$PREFIX-"} $image $print"
        done
}
# Its line of such a list, without the role.
listed_as() { printf '%s\n' "$2" | sed -n "s/^$1 //p"; }
# The networks of ours and of the user that a container is on, and those of $NETWORKS that it should join.
joined() { seen "$1" '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}'; }

# Prints what differs on the host from what came in and from what the last update left, one line each.
differences() {
    if [ -e "$DIR.lock" ] && command -v flock > /dev/null && ! flock -n "$DIR.lock" true 2> /dev/null; then
        fail "an update of this host is running (\`fuser $DIR.lock\` there shows its process); run the comparison again when it has ended"
    fi
    report_files
    if [ -s "$pending" ]; then echo "files that were not read yet: $(tr '\n' ' ' < "$pending")"; fi
    networks=$(docker network ls --format '{{.Name}}') is=$(containers) was=$(cat "$DIR.containers" 2> /dev/null || true)
    look
    for n in $NUMBERS; do
        role=$(of ROLE "$n")
        status=$(saw "$role" 2)
        if [ -z "$status" ]; then
            echo "container $PREFIX-$role: missing"
            continue
        fi
        [ "$status" = running ] || echo "container $PREFIX-$role: $status"
        now=$(listed_as "$role" "$is") before=$(listed_as "$role" "$was")
        if [ "${now% *}" != "${before% *}" ]; then
            echo "container $PREFIX-$role: another image ($(saw "$role" 5), ${now% *})"
        elif [ "$now" != "$before" ]; then
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
}

# Waits until it is healthy: by its own check, at once and not at the next interval.
await() {
    began=$(date +%s)
    until eval "timeout 20 docker exec $PREFIX-$(of ROLE "$1") $(of HEALTH "$1")" > /dev/null 2>&1; do
        if [ $(($(date +%s) - began)) -ge "$HEALTHY" ]; then
            docker logs --tail 20 "$PREFIX-$(of ROLE "$1")" >&2 || true
            fail "$PREFIX-$(of ROLE "$1") did not become healthy within $HEALTHY s; it is $(seen "$(of ROLE "$1")" '{{.State.Status}}, exit code {{.State.ExitCode}}'), its log is above"
        fi
        sleep 1
    done
}
# What a role has to read again, without the folders in front.
unread() { awk -v role="$1" 'index($0, role "/") == 1 && sub(/^[^\/]*\/[a-z]*\//, "")' "$pending" 2> /dev/null || true; }

# A stopped container that is on a network which is gone, or was made again, would not start.
leave_gone_networks() {
    networks=$(docker network ls --no-trunc --format '{{.ID}}:{{.Name}}')
    seen "$1" '{{range $name, $one := .NetworkSettings.Networks}}{{$one.NetworkID}}:{{println $name}}{{end}}' | while IFS= read -r network; do
        case $network in # before its first start a container knows the names only
            '') continue ;;
            :*) there=$(printf '%s\n' "$networks" | sed 's/^[^:]*//') ;;
            *) there=$networks ;;
        esac
        listed "$network" "$there" || docker network disconnect -f -- "${network#*:}" "$PREFIX-$1" 2> /dev/null || true
    done
}

# Networks of the user. One that is gone is no reason to be without the rest.
join_networks() {
    networks=$(docker network ls --format '{{.Name}}')
    for role in $JOINING; do
        on=$(joined "$role")
        printf '%s\n' "$NETWORKS" | while IFS= read -r network; do
            [ -n "$network" ] || continue
            if ! listed "$network" "$networks"; then
                echo "host $HOST: warning: hosts.$HOST.networks: the Docker network $network does not exist there now; \`make up\` joins it once it does" >&2
            else
                listed "$network" "$on" || output=$(docker network connect -- "$network" "$PREFIX-$role" 2>&1) ||
                    fail "hosts.$HOST.networks: $PREFIX-$role cannot join the Docker network $network: $output"
            fi
        done
        printf '%s\n' "$on" | while IFS= read -r network; do
            [ -z "$network" ] || listed "$network" "$NETWORKS" || case " $OWN " in *" $network "*) ;; *) docker network disconnect -- "$network" "$PREFIX-$role" ;; esac
        done
    done
}

# A name of $TARGETS (one a line) that containers have on two of the networks: Docker's DNS answers with either.
report_shared_names() {
    [ -n "$TARGETS" ] || return 0
    ids=$(docker ps -q --no-trunc) || return 0
    # shellcheck disable=SC2086 # a list of ids
    [ -z "$ids" ] || docker inspect --type container -f '{{range $name, $one := .NetworkSettings.Networks}}{{$name}}{{range $one.Aliases}} {{.}}{{end}}{{println}}{{end}}' $ids 2> /dev/null |
        awk -v host="$HOST" -v targets="$(printf '%s' "$TARGETS" | tr '\n' ' ')" -v networks=" $(printf '%s' "$NETWORKS" | tr '\n' ' ') " '
            index(networks, " " $1 " ") {
                for (i = 2; i <= NF; i++) if (!(($1, $i) in seen)) { seen[$1, $i] = 1; on[$i] = on[$i] (on[$i] ? " and " : "") $1; count[$i]++ }
            }
            END {
                total = split(targets, target, " ")
                for (i = 1; i <= total; i++) if (count[target[i]] > 1)
                    print "host " host ": warning: the name " target[i] " exists on the networks " on[target[i]] ", either may answer; write the whole name of the container that is meant (`docker ps` there shows it)"
            }
        ' >&2
}
