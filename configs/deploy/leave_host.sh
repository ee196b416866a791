# Removes the folder of rendered files on the host ($FILES; what a failed command left there is in no state), and the one
# above it that the readiness step may have made, if that is empty, and $LATE_ADDRESS, its file of sysctl. The setting in
# that file is switched off again if it was off before and no other file switches it on.
set -eu
rm -rf "$FILES" 2> /dev/null || sudo -n rm -rf "$FILES" 2> /dev/null || true
NONLOCAL=${NONLOCAL:-/proc/sys/net/ipv4/ip_nonlocal_bind}
if [ -n "$LATE_ADDRESS" ] && [ -e "$LATE_ADDRESS" ]; then
    undo="rm -f '$LATE_ADDRESS'"
    folders="/usr/lib/sysctl.d /run/sysctl.d $(dirname "$LATE_ADDRESS")"
    # shellcheck disable=SC2086 # several folders
    if [ "$(sed -n 's/^# before: //p' "$LATE_ADDRESS")" = 0 ] && ! grep -rs ip_nonlocal_bind /etc/sysctl.conf $folders |
        grep -v "^$LATE_ADDRESS:" | grep -qv '^[^:]*:[[:space:]]*[#;]'; then
        undo="$undo; echo 0 > '$NONLOCAL'"
    fi
    sh -c "$undo" 2> /dev/null || sudo -n sh -c "$undo" 2> /dev/null || true
fi
above=$(dirname "$FILES")
rmdir "$above" 2> /dev/null || sudo -n rmdir "$above" 2> /dev/null || true
