# Waits until $HOST accepts SSH at $ADDRESS, and prints its host key: the given one ($KEY), or the one that it shows at
# this first contact. Runs on this machine. $SSH is the command line; ssh writes the shown key to $KNOWN.
set -eu
mkdir -p ~/.ssh # the shared connections' sockets are there
KNOWN=$(mktemp)
trap 'rm -f "$KNOWN"' EXIT
trap 'exit 130' INT TERM HUP
begun=$(date +%s)
reported=$begun
while :; do
    : > "$KNOWN"
    # -S none: a shared connection hides a jump host's messages. -v: ssh shows some reasons in verbose mode only.
    if output=$(eval "$SSH -S none -v -o UserKnownHostsFile=\"\$KNOWN\" true" 2>&1 < /dev/null); then break; fi
    now=$(date +%s)
    output=$(printf '%s' "$output" | tr -d '\r' | grep -vE '^(debug1: |OpenSSH_|kex_exchange_identification: |stdio forwarding failed)' || true)
    jump=''
    case $output in
        *'UNKNOWN port 65535'*) # what ssh shows for a connection through a jump host
            jump='through the jump host: '
            output=$(printf '%s' "$output" | grep -v '^Connection closed by UNKNOWN' || true)
            ;;
        *'Host key verification failed'* | *'HOST IDENTIFICATION HAS CHANGED'* | *'o matching host key type'*)
            echo "host $HOST: $ADDRESS shows another SSH host key than the one in the stack file ($PATH_IN_FILE.host_key); if the machine was reinstalled, write its new key there (ssh-keyscan shows it)" >&2
            exit 1
            ;;
        *'Permission denied'*)
            if [ "$BOOTING" != yes ] || [ $((now - begun)) -ge "$PATIENCE" ]; then
                unread=$(printf '%s' "$output" | grep -E '^(no such identity|Load key)' | tail -n 1 || true)
                echo "host $HOST: $ADDRESS refuses the SSH key ($KEY_NAME); add its public key to ~/.ssh/authorized_keys of that user there ($PATH_IN_FILE, ssh.key)${unread:+; here: $unread}" >&2
                exit 1
            fi
            ;;
    esac
    if [ $((now - begun)) -ge "$PATIENCE" ]; then
        echo "host $HOST: no SSH connection to $ADDRESS, tried for $((now - begun)) s: $jump$(printf '%s' "$output" | tail -n 1)" >&2
        exit 1
    fi
    if [ $((now - reported)) -ge 15 ]; then
        echo "host $HOST: waiting for SSH at $ADDRESS ($((now - begun)) s of at most $PATIENCE s)" >&2
        reported=$now
    fi
    sleep 2
done
if [ -n "$KEY" ]; then echo "$KEY"; else awk '{ print $2, $3; exit }' "$KNOWN"; fi
