# Leaves a line at the hub's Loki that says which parts of $HOST were changed ("changed <roles>" on stdin, or in $said):
# dashboards mark the moment by it. $STREAM is the stream's labels as JSON. Goes on without it after $NOTE_PATIENCE
# seconds: what was changed is changed, note or not. Asks from inside the hub's Prometheus container, which has wget.
set -eu
said=${said-$(cat)}
changed=$(printf '%s\n' "$said" | sed -n 's/^changed *//p' | tr -cd 'a-z0-9_ -' | sed 's/  */, /g')
note="{\"streams\":[{\"stream\":$STREAM,\"values\":[[\"$(date +%s)000000000\",\
\"fleetwatch changed $HOST: ${changed:-its networks or settings}\"]]}]}"
tries=0
until docker exec "$PROMETHEUS" timeout 5 wget -q -O /dev/null --header "Content-Type: application/json" \
    --post-data "$note" "http://$LOKI/loki/api/v1/push" 2> /dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge "$NOTE_PATIENCE" ]; then
        echo "host $HOST: Loki took no note of this change, dashboards will not mark it"
        break
    fi
    sleep 1
done
