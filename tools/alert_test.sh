# Sends one test alert to one receiver, by a second Alertmanager beside the running one: same program, templates, secrets.
#
# Runs in Alertmanager's container. Variables: CONFIG, a configuration with this receiver alone; WORK, a folder that is
# made and removed; PORT, on loopback; COUNT, the receiver's services; PATIENCE, seconds for each of the two
# messages. Prints the log of that Alertmanager, as JSON.
set -eu
pid=
finish() {
    [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2> /dev/null || true
    rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

mkdir "$WORK"
printf '%s\n' "$CONFIG" > "$WORK/alertmanager.yml"
timeout 150 alertmanager --config.file="$WORK/alertmanager.yml" --storage.path="$WORK" --cluster.listen-address= \
    --web.listen-address="127.0.0.1:$PORT" --log.level=debug --log.format=json > "$WORK/log" 2>&1 &
pid=$!

url="http://127.0.0.1:$PORT"
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
begun=$(now)
alert() { # alert [end]
    amtool --alertmanager.url="$url" alert add alertname=ReceiverTest severity=info "env=$ENVIRONMENT" \
        --start="$begun" ${1:+--end="$1"} --annotation="summary=$SUMMARY" --annotation="description=$DESCRIPTION" \
        --annotation="dashboard=$DASHBOARD" --annotation="runbook=$RUNBOOK"
}
counted() { grep -c "\"msg\":\"$1\"" "$WORK/log" || true; }
# answered SENT FAILED: until there are as many messages that were sent, or one that failed more than before.
answered() {
    left=$((PATIENCE * 5))
    while [ "$left" -gt 0 ] && [ "$(counted 'Notify success')" -lt "$1" ]; do
        [ "$(counted 'Notify for alerts failed')" -le "$2" ] || break
        left=$((left - 1))
        sleep 0.2
    done
}

left=100
until amtool --alertmanager.url="$url" alert query > /dev/null 2>&1; do
    left=$((left - 1))
    if [ "$left" -le 0 ] || ! kill -0 "$pid" 2> /dev/null; then
        cat "$WORK/log"
        exit 3
    fi
    sleep 0.2
done

alert
answered "$COUNT" 0
sent=$(counted 'Notify success')
failed=$(counted 'Notify for alerts failed')
sleep 1 # an end of the same second as the beginning would be refused
alert "$(now)"
# A service that failed may be tried again before the end is sent: that is one more failure, and no answer to the end.
[ "$sent" -eq 0 ] || answered $((sent * 2)) $((failed * 2))
cat "$WORK/log"
