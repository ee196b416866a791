# Writes a line to the hub's Loki with the parts of $HOST that were changed ("changed <roles>" on stdin, or in $report):
# dashboards annotate it. $STREAM is the stream's labels as JSON. After $NOTE_PATIENCE seconds it continues without the
# line: the change itself is done. Runs wget in the hub's Prometheus container.
set -eu
report=${report-$(cat)}
changed=$(printf '%s\n' "$report" | sed -n 's/^changed *//p' | tr -cd 'a-z0-9_ -' | sed 's/  */, /g')
note="{\"streams\":[{\"stream\":$STREAM,\"values\":[[\"$(date +%s)000000000\",\
\"fleetwatch changed $HOST: ${changed:-its networks or settings}\"]]}]}"
since=$(date +%s)
until timeout 5 docker exec "$PROMETHEUS" wget -q -O /dev/null --header "Content-Type: application/json" \
    --post-data "$note" "http://$LOKI/loki/api/v1/push" 2> /dev/null; do
    if [ $(($(date +%s) - since)) -ge "$NOTE_PATIENCE" ]; then
        echo "host $HOST: Loki did not accept the line about this change; dashboards will not show it"
        break
    fi
    sleep 1
done
