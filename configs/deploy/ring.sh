# The rings of a cluster, before ($STEP=before) and after a change of its node $HOST. Runs on this machine. Of the nodes,
# numbered in $NUMBERS, $NAME_n is the host, $NODE_n the node and $ON_n the shell that runs a command there; $VIEW is
# the script that each runs (ring_view.sh).
#
# Before: ends once the other two are healthy in every ring that $HOST is in, so that one node is away at a time. What does
# not run on $HOST costs nothing: a broken node may be changed in any state of the others. Nodes that were not made yet do not
# count. After: ends once all nodes are in all rings. Either fails after $PATIENCE seconds, and names what is wrong.
#
# Its input is a text that is another one when something on $HOST changes, and so is its output: with the same one as the
# last time it ends at once. Then another node has a new address, and the rings may be broken because of that one.
set -eu
change=$(cat)
if [ -n "$change" ] && [ "$change" = "${PULUMI_COMMAND_STDOUT:-}" ]; then
    printf '%s\n' "$change"
    exit 0
fi
# Every node's lines, each after its host's name; of one that does not answer the reason.
look() {
    for n in $NUMBERS; do
        eval "name=\$NAME_$n node=\$NODE_$n on=\$ON_$n"
        echo "$name node $node"
        code=0
        found=$(printf '%s' "$VIEW" | (eval "$on") 2>&1) || code=$?
        if [ "$code" = 0 ]; then
            printf '%s\n' "$found" | awk -v name="$name" 'NF { print name, $0 }'
        else
            printf '%s\n' "$found" | awk -v name="$name" 'NF { last = $0 } END { sub("^host " name ": ", "", last); print name, "away", last }'
        fi
    done
}
# The first thing that is wrong: the host, a tab, what it is. Nothing: all is well.
judge() {
    awk -v step="$STEP" -v host="$HOST" '
        function problem(of, text) { print of "\t" text; found = 1; exit }
        function matters(program) { return step == "after" || (host, program) in ready }
        $2 == "node" { names[++count] = $1; node[$1] = $3 }
        $2 == "made" { made[$1] = 1 }
        $2 == "ready" { ready[$1, $3] = 1 }
        $2 == "sees" { sees[$1, $3, $4] = 1 }
        $2 == "away" { away[$1] = substr($0, index($0, " away ") + 6) }
        END {
            split("receive loki alertmanager", programs, " ")
            called["receive"] = "Thanos Receive"; called["loki"] = "Loki"; called["alertmanager"] = "Alertmanager"
            for (p = 1; p <= 3; p++) {
                program = programs[p]
                if (!matters(program)) continue
                for (i = 1; i <= count; i++) {
                    name = names[i]
                    if (step == "before" && name == host) continue
                    if (name in away) problem(name, name " does not answer (" away[name] ")")
                    if (name in made && !((name, program) in ready)) problem(name, called[program] " on " name " takes no requests")
                }
                for (i = 1; i <= count; i++) for (j = 1; j <= count; j++) {
                    one = names[i]; other = names[j]
                    if (i == j || program == "receive" || !(one in made) || !(other in made)) continue
                    if (step == "before" && (one == host || other == host)) continue
                    if (!((one, program, node[other]) in sees)) problem(other, called[program] " on " one " does not see " other)
                }
            }
        }
    '
}
begun=$(date +%s)
while :; do
    wrong=$(look | judge)
    [ -n "$wrong" ] || break
    if [ $(($(date +%s) - begun)) -ge "$PATIENCE" ]; then
        of=${wrong%%	*} what=${wrong#*	}
        if [ "$STEP" = before ]; then
            echo "host $HOST: not changed, because $what: without both, the hub would refuse samples and lines. Repair $of first: \`make up\` begins with it, ${GONE:-\`make rebuild HOST=$of\` replaces a droplet that is gone}" >&2
        else
            echo "host $HOST: changed, but after $PATIENCE s the rings are not whole: $what. No other node was changed after it; once $of is repaired, \`make up\` goes on${GONE:+; $GONE}" >&2
        fi
        exit 1
    fi
    sleep 3
done
printf '%s\n' "$change"
