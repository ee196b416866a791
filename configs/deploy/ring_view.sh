# Prints what this node of a cluster knows of the rings, a line each:
# - "made": it has one of the three programs at least;
# - "ready <program>": the program takes requests (receive: and has all $COUNT nodes in its hashring);
# - "sees <program> <node>": a node that the program counts as a member, by the node's name. Receive knows of none.
# Programs are receive, loki and alertmanager. $HOSTS is the hosts file with the names of all nodes. Loki's image has no
# wget, so the requests run in a container beside it.
set -eu
made='' from=''
for role in thanos-receive loki alertmanager; do
    if timeout 10 docker inspect --type container "$PREFIX-$role" > /dev/null 2>&1; then made=yes; fi
done
[ -n "$made" ] || exit 0
echo made
for role in thanos-query thanos-store thanos-receive alertmanager; do
    if [ "$(timeout 10 docker inspect --type container -f '{{.State.Running}}' "$PREFIX-$role" 2> /dev/null)" = true ]; then
        from=$PREFIX-$role
        break
    fi
done
[ -n "$from" ] || exit 0
# No option -T: some builds of busybox crash with it. No `timeout` in the container: each would leave a zombie there.
get() { timeout 10 docker exec "$from" wget -q -O - --header 'Accept: application/json' "http://$PREFIX-$1" 2> /dev/null; }
ready() { get "$2" > /dev/null && echo "ready $1"; }
if get thanos-receive:10902/-/ready > /dev/null; then
    in_ring=$(get thanos-receive:10902/metrics | awk '/^thanos_receive_hashring_nodes/ { sum += $2 } END { print sum + 0 }')
    [ "$in_ring" != "$COUNT" ] || echo 'ready receive'
fi
ready loki loki:3100/ready || true
{ get loki:3100/ring || true; } | tr '{' '\n' | sed -n 's/^"id":"\([^"]*\)","state":"ACTIVE".*/sees loki \1/p'
ready alertmanager alertmanager:9093/-/ready || true
{ get alertmanager:9093/api/v2/status || true; } | tr '{' '\n' | sed -n 's/.*"address":"\([^"]*\):[0-9]*".*/\1/p' | while read -r address; do
    awk -v address="$address" '$1 == address { sub(/^node-/, "", $2); sub(/\..*/, "", $2); print "sees alertmanager " $2 }' "$HOSTS"
done
