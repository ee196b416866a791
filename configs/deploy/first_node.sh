# Runs $SCRIPT, with this one's input, on the first of the hub's nodes that answers and has what the script needs. Runs on
# this machine. $ON_n, for each number in $NUMBERS, is the shell that runs a command on a node. Its exit code 255: no
# connection; 75: the node lacks a container that the script needs (on_node.sh).
set -eu
input=$(cat && echo .) # the dot keeps the newlines at the end
code=255
for n in $NUMBERS; do
    eval "on=\$ON_$n"
    code=0
    { printf '%s' "$SCRIPT" && printf '%s' "${input%.}"; } | (eval "$on") || code=$?
    case $code in 255 | 75) ;; *) break ;; esac
done
exit "$code"
