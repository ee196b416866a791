# Starts cAdvisor with the arguments "$@" and the socket of the containerd that Docker uses. Where Docker keeps images in
# containerd, cAdvisor needs that socket, and it registers Docker once, at its start: what is late or wrong then leaves
# every container without a name. So cAdvisor is started again, with the next socket that there is, while its metrics
# name no container for $GRACE seconds. Its own container has a name, so there is always one to report.
set -u
child=

# What the host has, the place of a dockerd that starts its own containerd first; others by who listens on the host.
sockets() {
    {
        printf '%s\n' /run/docker/containerd/containerd.sock /run/containerd/containerd.sock
        # Seven columns, then the path, which may have spaces.
        sed -n 's#^\([^ ]* *\)\{7\}\(/.*containerd[.]sock\)$#\2#p' /rootfs/proc/1/net/unix 2> /dev/null
    } | while IFS= read -r place; do
        for path in "/rootfs$place" "/rootfs${place#/var}"; do # /var/run is a link, which leads out of /rootfs
            if [ -S "$path" ]; then
                echo "$path"
                break
            fi
        done
    done | awk '!seen[$0]++'
}

look() {
    timeout 10 wget -q -O - "http://127.0.0.1:$PORT/metrics" 2> /dev/null | awk '
        /^container_last_seen[{](.*,)?name="[^"]/ { named = 1; exit }
        END { print named ? "named" : NR ? "nameless" : "silent" }
    '
}

end() {
    kill -TERM "$child" 2> /dev/null
    wait "$child"
}

trap 'trap "" TERM INT; end; exit 0' TERM INT
try=0
while :; do
    found=$(sockets)
    socket=$(echo "$found" | awk -v try="$try" '{ line[NR] = $0 } END { print line[try % NR + 1] }')
    socket=${socket:-/rootfs/run/containerd/containerd.sock}
    /usr/bin/cadvisor -logtostderr "--containerd=$socket" "$@" &
    child=$!
    since='' pause=2
    while kill -0 "$child" 2> /dev/null; do
        case $(look) in
            named) since='' pause=60 && : > "$NAMES_SEEN" ;;
            nameless)
                rm -f "$NAMES_SEEN"
                pause=2 now=$(date +%s)
                since=${since:-$now}
                if [ $((now - since)) -ge "$GRACE" ] || [ "$(sockets)" != "$found" ]; then
                    echo "cAdvisor reports no container by name, containerd socket $socket: starting it again" >&2
                    end
                    try=$((try + 1))
                    continue 2
                fi
                ;;
        esac
        sleep "$pause" & # a signal ends a wait, but not a sleep
        wait $!
    done
    wait "$child"
    exit $?
done
