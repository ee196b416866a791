# Waits until $HOST answers SSH at $WHERE and lets us in, and prints its host key: the given one ($KEY), or the one it
# shows at this first contact. Runs on this machine. $SSH is the command line; it writes the shown key to $KNOWN.
set -eu
mkdir -p ~/.ssh # the shared connections' sockets are there
KNOWN=$(mktemp)
trap 'rm -f "$KNOWN"' EXIT
trap 'exit 130' INT TERM HUP
begun=$(date +%s)
told=$begun
while :; do
    : > "$KNOWN"
    # -S none: with a shared connection a jump host's words are lost. -v: some reasons are told to the verbose only.
    if said=$(eval "$SSH -S none -v -o UserKnownHostsFile=\"\$KNOWN\" true" 2>&1 < /dev/null); then break; fi
    now=$(date +%s)
    said=$(printf '%s' "$said" | tr -d '\r' | grep -vE '^(debug1: |OpenSSH_|kex_exchange_identification: |stdio forwarding failed)' || true)
    way=''
    case $said in
        *'UNKNOWN port 65535'*) # what ssh calls a way through another machine
            way='on the way through the machine in between: '
            said=$(printf '%s' "$said" | grep -v '^Connection closed by UNKNOWN' || true)
            ;;
        *'Host key verification failed'* | *'HOST IDENTIFICATION HAS CHANGED'* | *'o matching host key type'*)
            echo "host $HOST: $WHERE shows another SSH host key than the one in the stack file ($PATH_IN_FILE.host_key); if the machine was installed anew, write its new key there (ssh-keyscan shows it)" >&2
            exit 1
            ;;
        *'Permission denied'*)
            if [ "$BOOTING" != yes ] || [ $((now - begun)) -ge "$PATIENCE" ]; then
                unread=$(printf '%s' "$said" | grep -E '^(no such identity|Load key)' | tail -n 1 || true)
                echo "host $HOST: $WHERE refuses the SSH key ($KEY_NAME); its public half has to be in ~/.ssh/authorized_keys of that user there ($PATH_IN_FILE, ssh.key)${unread:+; here: $unread}" >&2
                exit 1
            fi
            ;;
    esac
    if [ $((now - begun)) -ge "$PATIENCE" ]; then
        echo "host $HOST: no SSH connection to $WHERE, tried for $((now - begun)) s: $way$(printf '%s' "$said" | tail -n 1)" >&2
        exit 1
    fi
    if [ $((now - told)) -ge 15 ]; then
        echo "host $HOST: waiting for SSH at $WHERE ($((now - begun)) s of at most $PATIENCE s)" >&2
        told=$now
    fi
    sleep 2
done
if [ -n "$KEY" ]; then echo "$KEY"; else awk '{ print $2, $3; exit }' "$KNOWN"; fi
