# Takes away the folders that readiness made on the host, if nothing is in them any more.
set -eu
for folder in "$FILES" "$(dirname "$FILES")"; do
    rmdir "$folder" 2> /dev/null || sudo -n rmdir "$folder" 2> /dev/null || true
done
