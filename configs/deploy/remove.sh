# Removes the files of one service; the host's folder goes with its last service.
set -eu
rm -rf "$DIR" "$DIR.next" "$DIR.pending" "$DIR.applied" "$DIR.gone" "$DIR.obsolete"
rmdir "$(dirname "$DIR")" "$BASE" 2> /dev/null || true
