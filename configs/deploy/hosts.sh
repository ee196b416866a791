# Writes stdin into $FILE, which is mounted over /etc/hosts in containers: in place, because a moved file would leave them
# with the old one. Go's resolver looks again after seconds, so a hub with another address needs no other configuration.
set -eu
umask 022
mkdir -p "$(dirname "$FILE")"
new=$(cat)
[ "$new" = "$(cat "$FILE" 2> /dev/null)" ] || printf '%s\n' "$new" > "$FILE"
