# Runs $REMOTE on $HOST over SSH, stdin and outputs as they are; what is wrong with the connection is said in a sentence.
# Runs on this machine. $SSH is the command line up to what is to be run. $BETWEEN is the jump host, if there is one.
# $CLOSE=yes leaves the shared connection before it (it may lead to a machine that is no more, or through one) and after
# it (a new group counts from the next login on). Not by -O exit, which would cut off whoever is going through this host.
# $PATIENCE, for a machine that may be starting: so many seconds are given to an SSH that does not answer yet.
set -eu
code=0
[ "${CLOSE:-}" != yes ] || eval "$SSH -O stop" > /dev/null 2>&1 || true
starting() {
    said=$(eval "$SSH -S none true" 2>&1 < /dev/null) && return 1
    case $said in *refused* | *'timed out'* | *'No route'* | *reset* | *closed*) return 0 ;; esac
    return 1
}
if [ -n "${PATIENCE:-}" ]; then
    end=$(($(date +%s) + PATIENCE))
    while starting && [ "$(date +%s)" -lt "$end" ]; do sleep 1; done
fi
# -q: what is wrong with the connection is told below.
eval "$SSH -q \"\$REMOTE\"" || code=$?
[ "${CLOSE:-}" != yes ] || eval "$SSH -O stop" > /dev/null 2>&1 || true
[ "$code" = 255 ] || exit "$code"
# 255 is ssh's own: asked once more for the reason. -S none: with a shared connection a jump host's words are lost. -v:
# some reasons are told to the verbose only.
reason=$(eval "$SSH -S none -v true" 2>&1 < /dev/null) && reason='' || reason="${reason:-it says nothing}"
reason=$(printf '%s' "$reason" | tr -d '\r' | grep -vE '^(debug1: |OpenSSH_|kex_exchange_identification: |stdio forwarding failed)' || true)
case $reason in
    '') reason='the connection broke off; run the update again' ;;
    *'UNKNOWN port 65535'*) # what ssh calls a way through another machine
        reason=$(printf '%s' "$reason" | grep -v '^Connection closed by UNKNOWN' | tail -n 1)
        case $reason in
            *'Host key verification failed'*) reason="$reason If you know why, accept its new key: \`make accept-key HOST=$BETWEEN\`" ;;
        esac
        reason="on the way through the machine in between ($BETWEEN): ${reason:-see what is told of that one}"
        ;;
    *'Host key verification failed'* | *'No '*' host key is known'* | *'HOST IDENTIFICATION HAS CHANGED'* | *'o matching host key type'*)
        reason="it shows another SSH host key than the pinned one. If you know why (the machine was installed anew), accept it: \`make accept-key HOST=$HOST\`, or write the key into the stack file (host_key)"
        ;;
    *'Permission denied'*) reason="it refuses the SSH key; its public half has to be in ~/.ssh/authorized_keys of that user there" ;;
    *) reason=$(printf '%s' "$reason" | tail -n 1) ;;
esac
echo "host $HOST: no SSH connection to $WHERE (ssh.timeout: $TIMEOUT s): $reason" >&2
[ "${LEAVING:-}" != yes ] || echo "host $HOST: if that machine is gone for good, it can leave without contact, in two runs: give it its entry back with \`abandoned: true\` and run the update, then take the entry out and run it again" >&2
exit 255
