# Ends once the hub has, of $HOST, a sample and a container by name from this update ("seen at" on stdin) and a log line
# newer than the edge's last change ("applied at"; a quiet host writes one when it changes), or fails after $PATIENCE
# seconds and names what did not arrive. Both times are by the edge's own clock; without them it fails. After an outage
# the backlog comes first: as long as it advances, patience begins again. Queries run inside the hub's Prometheus
# container, which has wget.
set -eu
report=${report-$(cat)}
since=$(printf '%s\n' "$report" | sed -n 's/^applied at //p')
seen=$(printf '%s\n' "$report" | sed -n 's/^seen at //p')
for time in "$since" "$seen"; do
    case $time in
        '' | *[!0-9]*)
            echo "host $HOST: expected \`applied at <seconds>\` and \`seen at <seconds>\` on stdin, one line each, got:" \
                "$(printf '%s' "$report" | tr '\n' ' ' | cut -c 1-200)" >&2
            exit 1
            ;;
    esac
done
query() { docker exec "$PROMETHEUS" timeout 5 wget -q -O - "$1" 2> /dev/null || true; }
value() { # of a query that has one result, its whole part
    query "http://localhost:9090/api/v1/query?query=$1" | sed -n 's/.*"value":\[[^,]*,"\([0-9]*\)[^"]*".*/\1/p'
}
begun=$(date +%s)
metric='' container='' line='' last=0
while :; do
    if [ -z "$metric" ]; then
        newest=$(value "$NEWEST_SAMPLE")
        [ "${newest:-0}" -le "$seen" ] || metric=yes
        [ "${newest:-0}" -le "$last" ] || { [ "$last" = 0 ] || begun=$(date +%s); last=$newest; }
    fi
    if [ -z "$container" ]; then
        newest=$(value "$NEWEST_CONTAINER")
        [ "${newest:-0}" -le "$seen" ] || container=yes
    fi
    if [ -z "$line" ]; then
        case $(query "http://$LOKI/loki/api/v1/query_range?query=$LINES&limit=1&start=${since}000000000") in
            *'"values":[['*) line=yes ;;
        esac
    fi
    waited=$(($(date +%s) - begun))
    [ -z "$metric" ] || [ -z "$container" ] || [ -z "$line" ] || break
    if [ "$waited" -ge "$PATIENCE" ]; then
        missing=''
        [ -n "$metric" ] || missing="no metric (see: docker logs $AGENT)"
        if [ -n "$metric" ] && [ -z "$container" ]; then
            case $(value "$CADVISOR_UP") in
                1) missing="no container by name, though cAdvisor answers (see: docker logs $CADVISOR)" ;;
                *) missing="no metric of cAdvisor (see: docker logs $CADVISOR)" ;;
            esac
        fi
        [ -n "$line" ] || missing="${missing:+$missing, and }no log line (see: docker logs $LOG_AGENT)"
        echo "host $HOST: within ${PATIENCE} s after its update the hub got $missing" >&2
        exit 1
    fi
    sleep 1
done
echo "host $HOST: metrics, containers by name and logs arrive (waited $waited s)"
