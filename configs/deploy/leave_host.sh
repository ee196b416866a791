# Removes the folders that the readiness step made on the host, if they are empty.
set -eu
for folder in "$FILES" "$(dirname "$FILES")"; do
    rmdir "$folder" 2> /dev/null || sudo -n rmdir "$folder" 2> /dev/null || true
done
