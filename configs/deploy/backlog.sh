# Functions for project.sh: what the agent that runs has not sent yet, before it makes way for another container.
#
# A Prometheus agent starts at the present, so what it had not sent is lost; vmagent goes on with its queue, but a
# Prometheus agent in its place does not read that. So where the agent is replaced, the update waits until the hub has
# taken the rest: as long as it becomes less within $STALL seconds, $DRAIN at the most.

# The backlog: `prometheus <seconds behind>` or `vmagent <KiB>`; nothing if the agent does not answer.
backlog() {
    docker exec "$PREFIX-agent" wget -q -O - "http://localhost:$AGENT_PORT/metrics" 2> /dev/null < /dev/null | awk '
        /^prometheus_remote_storage_queue_highest_timestamp_seconds[{ ]/ { newest = $NF; kind = "prometheus" }
        /^prometheus_remote_storage_queue_highest_sent_timestamp_seconds[{ ]/ { sent = $NF }
        /^vmagent_remotewrite_pending_data_bytes[{ ]/ { bytes += $NF; kind = "vmagent" }
        END { if (kind) printf "%s %d\n", kind, kind == "vmagent" ? (bytes + 1023) / 1024 : sent ? newest - sent : 0 }
    ' || true
}
# Whether Compose will replace the agent that runs: by the hash of its definition. $1: of which image it will be.
replaces_agent() {
    [ "$(seen agent '{{.State.Status}}')" = running ] || return 1
    was=$(seen agent '{{index .Config.Labels "com.docker.compose.config-hash"}}')
    is=$(compose -f "$DIR/compose.yaml" config --hash agent 2> /dev/null | sed -n 's/^agent //p')
    [ "$was" != "$is" ]
}
# Waits for the hub to take the backlog of an agent that is replaced by one of the kind $1.
drain() {
    replaces_agent || return 0
    begun=$(date +%s) least='' since=$begun
    while found=$(backlog); do
        kind=${found% *} left=${found#* } now=$(date +%s)
        [ -n "$found" ] || return 0
        [ "$kind" != vmagent ] || [ "$1" != vmagent ] || return 0 # it keeps its queue
        [ "$left" -gt "$([ "$kind" = vmagent ] && echo 0 || echo 2)" ] || break
        [ -n "$least" ] || echo "host $HOST: waiting until the hub has the samples that the agent has not sent yet" >&2
        if [ -z "$least" ] || [ "$left" -lt "$least" ]; then least=$left since=$now; fi
        if [ $((now - since)) -ge "$STALL" ] || [ $((now - begun)) -ge "$DRAIN" ]; then
            unit=$([ "$kind" = vmagent ] && echo KiB || echo s)
            echo "host $HOST: warning: after $((now - begun)) s the hub has not taken $left $unit of the agent's samples; they are lost with the container that is replaced" >&2
            return 0
        fi
        sleep 1
    done
    [ -z "$least" ] || echo "host $HOST: the hub has them after $(($(date +%s) - begun)) s" >&2
}
