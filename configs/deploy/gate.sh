# Ends once the hub has a sample of $HOST from this update ("seen at" on stdin) and a log line that is newer than the
# edge's last change ("applied at"; a quiet host writes one when it changes), or says after $PATIENCE seconds which of
# them did not arrive. Both times are by the edge's own clock. After an outage the backlog comes first: as long as it
# advances, patience begins anew. Asks from inside the hub's Prometheus container, which has wget.
set -eu
said=${said-$(cat)}
since=$(printf '%s\n' "$said" | sed -n 's/^applied at //p')
seen=$(printf '%s\n' "$said" | sed -n 's/^seen at //p')
ask() { docker exec "$PROMETHEUS" timeout 5 wget -q -O - "$1" 2> /dev/null || true; }
begun=$(date +%s)
metric='' line='' last=0
while :; do
    if [ -z "$metric" ]; then
        newest=$(ask "http://localhost:9090/api/v1/query?query=$NEWEST_SAMPLE" |
            sed -n 's/.*"value":\[[^,]*,"\([0-9]*\)[^"]*".*/\1/p')
        [ "${newest:-0}" -le "$seen" ] || metric=yes
        [ "${newest:-0}" -le "$last" ] || { [ "$last" = 0 ] || begun=$(date +%s); last=$newest; }
    fi
    if [ -z "$line" ]; then
        case $(ask "http://$LOKI/loki/api/v1/query_range?query=$LINES&limit=1&start=${since}000000000") in
            *'"values":[['*) line=yes ;;
        esac
    fi
    waited=$(($(date +%s) - begun))
    [ -z "$metric" ] || [ -z "$line" ] || break
    if [ "$waited" -ge "$PATIENCE" ]; then
        missing=''
        [ -n "$metric" ] || missing="no metric (look at: docker logs $AGENT)"
        [ -n "$line" ] || missing="${missing:+$missing, and }no log line (look at: docker logs $LOG_AGENT)"
        echo "host $HOST: within ${PATIENCE} s after its update the hub got $missing" >&2
        exit 1
    fi
    sleep 1
done
echo "host $HOST: metrics and logs arrive (waited $waited s)"
