# Before a script that needs a running $NEEDED on one of the hub's nodes: another node is tried without it.
[ "$(timeout 10 docker inspect --type container -f '{{.State.Running}}' "$NEEDED" 2> /dev/null)" = true ] || {
    echo "$NEEDED does not run on $(hostname); the next node is tried" >&2
    exit 75
}
