# Runs $REMOTE on $HOST over SSH with stdin and outputs as they are; a failed connection is explained in one line.
# Runs on this machine. $SSH is the command line up to the remote command. $JUMP_HOST is the jump host, if there is one.
# $CLOSE=yes stops sharing the connection before it (it may lead to a machine that was deleted, or through one) and after
# it (a new group counts from the next login on). Not by -O exit, which would cut connections through this host.
# $PATIENCE, for a machine that may be starting: how many seconds to wait for an SSH server that does not answer yet.
# $ACTION goes to the host: what `make drift` wants of a script that deploys.
set -eu
code=0
[ -z "${ACTION:-}" ] || REMOTE="exec env ACTION=$ACTION ${REMOTE#exec }" # not every login shell takes `ACTION=...;`
[ "${CLOSE:-}" != yes ] || eval "$SSH -O stop" > /dev/null 2>&1 || true
starting() {
    output=$(eval "$SSH -S none true" 2>&1 < /dev/null) && return 1
    case $output in *refused* | *'timed out'* | *'No route'* | *reset* | *closed*) return 0 ;; esac
    return 1
}
if [ -n "${PATIENCE:-}" ]; then
    end=$(($(date +%s) + PATIENCE))
    while starting && [ "$(date +%s)" -lt "$end" ]; do sleep 1; done
fi
# -q: a failed connection is explained below.
eval "$SSH -q \"\$REMOTE\"" || code=$?
[ "${CLOSE:-}" != yes ] || eval "$SSH -O stop" > /dev/null 2>&1 || true
[ "$code" = 255 ] || exit "$code"
# 255 is ssh's own code: a second connection gives the reason. -S none: a shared connection hides a jump host's messages.
# -v: ssh shows some reasons in verbose mode only.
reason=$(eval "$SSH -S none -v true" 2>&1 < /dev/null) && reason='' || reason="${reason:-ssh gives no reason}"
reason=$(printf '%s' "$reason" | tr -d '\r' | grep -vE '^(debug1: |OpenSSH_|kex_exchange_identification: |stdio forwarding failed)' || true)
case $reason in
    '') reason='the connection broke off; run the update again' ;;
    *'UNKNOWN port 65535'*) # what ssh shows for a connection through a jump host
        reason=$(printf '%s' "$reason" | grep -v '^Connection closed by UNKNOWN' | tail -n 1)
        case $reason in
            *'Host key verification failed'*) reason="$reason If that is expected, accept its new key: \`make accept-key HOST=$JUMP_HOST\`" ;;
        esac
        reason="through the jump host ($JUMP_HOST): ${reason:-see the messages about that one}"
        ;;
    *'Host key verification failed'* | *'No '*' host key is known'* | *'HOST IDENTIFICATION HAS CHANGED'* | *'o matching host key type'*)
        reason="it shows another SSH host key than the pinned one. If that is expected (the machine was reinstalled), accept it: \`make accept-key HOST=$HOST\`, or write the key into the stack file (host_key)"
        ;;
    *'Permission denied'*) reason="it refuses the SSH key; add its public key to ~/.ssh/authorized_keys of that user there" ;;
    *) reason=$(printf '%s' "$reason" | tail -n 1) ;;
esac
echo "host $HOST: no SSH connection to $ADDRESS (ssh.timeout: $TIMEOUT s): $reason" >&2
[ "${LEAVING:-}" != yes ] || echo "host $HOST: if that machine is permanently gone, remove it without contact in two runs: restore its entry with \`abandoned: true\` and run the update, then remove the entry and run it again" >&2
exit 255
