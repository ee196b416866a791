# Removes the folder of rendered files on the host ($FILES; what a failed command left there is in no state), and the one
# above it that the readiness step may have made, if that is empty, and $LATE_ADDRESS, its file of sysctl.
set -eu
rm -rf "$FILES" 2> /dev/null || sudo -n rm -rf "$FILES" 2> /dev/null || true
[ -z "$LATE_ADDRESS" ] || rm -f "$LATE_ADDRESS" 2> /dev/null || sudo -n rm -f "$LATE_ADDRESS" 2> /dev/null || true
above=$(dirname "$FILES")
rmdir "$above" 2> /dev/null || sudo -n rmdir "$above" 2> /dev/null || true
