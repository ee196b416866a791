# Ends once the hub has of $HOST, or fails after $PATIENCE seconds and names what did not arrive:
# - a sample of every job in $JOBS since the targets were scraped ("scraped at" on stdin). The query $SAMPLES gives the time
#   of the newest one where the job's targets are up;
# - a sample of any job that is newer than the update ("seen at");
# - a container by name since the targets were scraped ($CADVISOR empty: its job is slower);
# - a log line newer than the edge's last change ("applied at"; a quiet host writes one when it changes).
# The times are by the edge's own clock; without them it fails. After an outage the backlog comes first: as long as it
# advances and is older than the update, patience begins again. Queries run inside the hub's Prometheus container, which has wget.
set -eu
report=${report-$(cat)}
since=$(printf '%s\n' "$report" | sed -n 's/^applied at //p')
scraped=$(printf '%s\n' "$report" | sed -n 's/^scraped at //p')
seen=$(printf '%s\n' "$report" | sed -n 's/^seen at //p')
for time in "$since" "$scraped" "$seen"; do
    case $time in
        '' | *[!0-9]*)
            echo "host $HOST: expected \`applied at\`, \`scraped at\` and \`seen at\` with seconds on stdin, one line each, got:" \
                "$(printf '%s' "$report" | tr '\n' ' ' | cut -c 1-200)" >&2
            exit 1
            ;;
    esac
done
query() { timeout 5 docker exec "$PROMETHEUS" wget -q -O - "$1" 2> /dev/null || true; }
value() { # of a query that has one result, its whole part
    query "http://localhost:9090/api/v1/query?query=$1" | sed -n 's/.*"value":\[[^,]*,"\([0-9]*\)[^"]*".*/\1/p'
}
# Jobs of $JOBS without a sample that is new enough.
missing_jobs() {
    query "http://localhost:9090/api/v1/query?query=$SAMPLES" | awk -v jobs="$JOBS" -v since="$scraped" '
        {
            count = split($0, part, /\{"metric":/)
            for (i = 2; i <= count; i++) {
                if (!match(part[i], /"job":"[^"]*"/)) continue
                job = substr(part[i], RSTART + 7, RLENGTH - 8)
                if (match(part[i], /,"[0-9.]+"\]/) && substr(part[i], RSTART + 2, RLENGTH - 4) + 0 >= since) there[job] = 1
            }
        }
        END {
            count = split(jobs, job_of, " ")
            for (i = 1; i <= count; i++) if (!(job_of[i] in there)) printf "%s%s", comma++ ? ", " : "", job_of[i]
        }
    '
}
begun=$(date +%s)
left=$JOBS newer='' container=${CADVISOR:+missing} line='' last=0
while :; do
    if [ -n "$left" ] || [ -z "$newer" ]; then
        [ -z "$left" ] || left=$(missing_jobs)
        newest=$(value "$NEWEST_SAMPLE")
        [ "${newest:-0}" -le "$seen" ] || newer=yes
        [ "${newest:-0}" -le "$last" ] || { [ "$last" = 0 ] || [ -n "$newer" ] || begun=$(date +%s); last=$newest; }
    fi
    if [ -n "$container" ]; then
        newest=$(value "$NEWEST_CONTAINER")
        [ "${newest:-0}" -lt "$scraped" ] || container=''
    fi
    if [ -z "$line" ]; then
        case $(query "http://$LOKI/loki/api/v1/query_range?query=$LINES&limit=1&start=${since}000000000") in
            *'"values":[['*) line=yes ;;
        esac
    fi
    waited=$(($(date +%s) - begun))
    [ -n "$left" ] || [ -z "$newer" ] || [ -n "$container" ] || [ -z "$line" ] || break
    if [ "$waited" -ge "$PATIENCE" ]; then
        missing=''
        [ -z "$left" ] || missing="no sample of the jobs $left, which its agent scraped (see: docker logs $AGENT)"
        [ -n "$left" ] || [ -n "$newer" ] || missing="no sample that is newer (see: docker logs $AGENT)"
        [ -n "$missing" ] || [ -z "$container" ] || missing="no container by name (see: docker logs $CADVISOR)"
        [ -n "$line" ] || missing="${missing:+$missing, and }no log line (see: docker logs $LOG_AGENT)"
        echo "host $HOST: within ${PATIENCE} s after its update the hub got $missing" >&2
        exit 1
    fi
    sleep 0.5
done
echo "host $HOST: metrics of every job, containers by name and logs arrive (waited $waited s)"
