# Waits until $HOST accepts SSH at $ADDRESS and runs a command as $ACCOUNT, and prints its host key: the given one ($KEY),
# or the one that it shows at this first contact. Runs on this machine. $SSH is the command line; ssh writes the shown
# key to $KNOWN. An account that runs something else than the command, or whose start file prints, is refused here: what
# later steps and Docker's own connection read from it would not be theirs. $FORWARDS=yes: it only forwards connections.
set -eu
mkdir -p ~/.ssh # the shared connections' sockets are there
KNOWN=$(mktemp) SHOWN=$(mktemp)
trap 'rm -f "$KNOWN" "$SHOWN"' EXIT
trap 'exit 130' INT TERM HUP
mark=fleetwatch-contact
begun=$(date +%s)
reported=$begun
fail() {
    echo "host $HOST: $*" >&2
    exit 1
}
late() { [ $((now - begun)) -ge "$PATIENCE" ]; }
# What the account did with the command, where SSH itself works. A droplet's image may have a forced command until the
# end of its first boot.
account() {
    # A banner comes before that line, what the account writes to stderr after it.
    output=$(printf '%s\n' "$output" | sed '1,/^Authenticated to /d')
    first=$(printf '%s\n%s' "${printed%"$mark"}" "$output" | awk 'NF { print substr($0, 1, 200); exit }')
    case $printed in
        *"$mark")
            fail "the start file of the account $ACCOUNT on it prints \"$first\" to stdout, where commands over SSH and Docker's connection expect their own output; print in interactive shells only (\`~/.bashrc\`: \`case \$- in *i*) ;; *) return ;; esac\` before it; fish: \`status is-interactive; or exit\`), or use another account ($PATH_IN_FILE.user)"
            ;;
    esac
    [ "$BOOTING" != yes ] || late || return 0
    case $printed$output in
        *'not available'* | *nologin*)
            fail "the account $ACCOUNT on it has a login shell that runs no command (\"$first\"); give it one (\`usermod -s /bin/sh $ACCOUNT\` as root there) or use another account ($PATH_IN_FILE.user)"
            ;;
        *'assword has expired'* | *'hange your password'* | *'assword change required'*)
            fail "the password of the account $ACCOUNT on it has expired, so it runs no command (\"$first\"); set a new one there (\`passwd $ACCOUNT\` as root)"
            ;;
    esac
    fail "the account $ACCOUNT on it does not run the command that it gets over SSH (expected the output of \`echo $mark\`, got \"$first\", exit code $code); a forced command does that (\`command=\` in ~/.ssh/authorized_keys, ForceCommand in sshd_config), a login shell such as /bin/false, or a start file that ends or replaces the shell; use an account and key without it ($PATH_IN_FILE.user, ssh.key)"
}
while :; do
    : > "$KNOWN"
    code=0
    # -S none: a shared connection hides a jump host's messages. -v: ssh shows some reasons in verbose mode only.
    output=$(eval "$SSH -S none -v -o UserKnownHostsFile=\"\$KNOWN\" echo $mark" 2>&1 > "$SHOWN" < /dev/null) || code=$?
    printed=$(tr -d '\r' < "$SHOWN")
    [ "$printed" != "$mark" ] && { [ "$code" = 255 ] || [ "$FORWARDS" != yes ]; } || break
    now=$(date +%s)
    output=$(printf '%s' "$output" | tr -d '\r' | grep -vE '^(debug1: |OpenSSH_|kex_exchange_identification: |stdio forwarding failed|Warning: Permanently added |Transferred: |Bytes per second: )' || true)
    jump=''
    [ "$code" = 255 ] || account
    case $output in
        *'UNKNOWN port 65535'*) # what ssh shows for a connection through a jump host
            jump='through the jump host: '
            output=$(printf '%s' "$output" | grep -v '^Connection closed by UNKNOWN' || true)
            ;;
        *'Host key verification failed'* | *'HOST IDENTIFICATION HAS CHANGED'* | *'o matching host key type'*)
            fail "$ADDRESS shows another SSH host key than the one in the stack file ($PATH_IN_FILE.host_key); if the machine was reinstalled, write its new key there (ssh-keyscan shows it)"
            ;;
        *'Permission denied'*)
            if [ "$BOOTING" != yes ] || late; then
                unread=$(printf '%s' "$output" | grep -E '^(no such identity|Load key)' | tail -n 1 || true)
                fail "$ADDRESS refuses the SSH key ($KEY_NAME); add its public key to ~/.ssh/authorized_keys of that user there ($PATH_IN_FILE, ssh.key)${unread:+; here: $unread}"
            fi
            ;;
    esac
    ! late || fail "no SSH connection to $ADDRESS, tried for $((now - begun)) s: $jump$(printf '%s' "$output" | tail -n 1)"
    if [ $((now - reported)) -ge 15 ]; then
        echo "host $HOST: waiting for SSH at $ADDRESS ($((now - begun)) s of at most $PATIENCE s)" >&2
        reported=$now
    fi
    sleep 2
done
if [ -n "$KEY" ]; then echo "$KEY"; else awk '{ print $2, $3; exit }' "$KNOWN"; fi
