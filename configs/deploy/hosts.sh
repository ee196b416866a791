# Writes stdin into $FILE, which is mounted over /etc/hosts in containers: in place, because a mount keeps pointing to the
# old file when another one is moved over it. Go's resolver reads the file again within seconds, so a hub with another
# address needs no other configuration.
set -eu
umask 022
mkdir -p "$(dirname "$FILE")"
new=$(cat)
[ "$new" = "$(cat "$FILE" 2> /dev/null)" ] || printf '%s\n' "$new" > "$FILE"
