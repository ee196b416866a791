# Ends once $CONTAINER takes requests: $READY, a command in it as shell words, ends with exit code 0.
# The next container of the hub is replaced only then. It may take $PATIENCE seconds while it runs, $STARTS if it does not.
set -eu
since=$(date +%s)
until eval "timeout 30 docker exec $CONTAINER $READY" > /dev/null 2>&1; do
    passed=$(($(date +%s) - since))
    status=$(docker inspect --type container -f '{{.State.Status}}' "$CONTAINER" 2> /dev/null || true)
    if [ "$passed" -ge "$PATIENCE" ] || { [ "$passed" -ge "$STARTS" ] && [ "$status" != running ]; }; then
        # Without the queries of URLs: a request to Grafana may have a code in it.
        docker logs --tail 20 "$CONTAINER" 2>&1 | sed 's/?[^" ]*/?.../g' >&2 || true
        echo "host $HOST: $CONTAINER does not answer after $passed s; it is $(docker inspect --type container -f '{{.State.Status}}, exit code {{.State.ExitCode}}' "$CONTAINER" 2>&1), its log is above. No other container of the hub was replaced after it" >&2
        exit 1
    fi
    sleep 1
done
