# The database's content as one file, for a backup of the hub, and its restore.
#   serve      wait for a backup: each line in the pipe $DUMPS/wanted is the id of a dump, which becomes $DUMPS/last
#   dump ID    that dump: ask.sql, and in `note` the rows of each table at the same moment
#   restore    replace the database with $RESTORED/ask.sql; without that, or with a damaged one, it stays as it is
#   count      the rows of each table
set -eu
. /etc/ask-database/settings
umask 077
export PGOPTIONS='-c client_min_messages=warning'

sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h /tmp -U postgres "$@"
}

COUNT="SELECT format('SELECT %L || count(*) FROM %I', 'rows of ' || relname || ': ', relname)
FROM pg_stat_user_tables ORDER BY relname \\gexec"

case $1 in
    serve)
        mkdir -p "$DUMPS"
        rm -f "$DUMPS/wanted"
        # The backup mounts this folder read-only; that does not keep it from writing into a pipe.
        mkfifo -m 622 "$DUMPS/wanted"
        while :; do
            id=''
            read -r id < "$DUMPS/wanted" || sleep 1
            case $id in '' | *[!0-9]*) continue ;; esac
            sh "$0" dump "$id" || echo "$id" > "$DUMPS/failed"
        done
        ;;
    dump)
        new=$DUMPS/new
        rm -rf "$new"
        mkdir "$new"
        # pg_dump and the counts read the same snapshot.
        {
            echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;'
            echo 'SELECT pg_export_snapshot() AS snapshot \gset'
            echo '\setenv SNAPSHOT :snapshot'
            echo "\\! pg_dump -h /tmp -U postgres -d $DATABASE --snapshot=\"\$SNAPSHOT\" -f $new/ask.sql && touch $new/complete"
            echo "$COUNT"
        } | sql -d "$DATABASE" > "$new/counts"
        rm "$new/complete"
        { date '+at %s' && cat "$new/counts"; } > "$new/note"
        rm "$new/counts"
        echo "$2" > "$new/id"
        rm -rf "$DUMPS/last"
        mv "$new" "$DUMPS/last"
        ;;
    restore)
        next=${DATABASE}_next old=${DATABASE}_old
        sql -d postgres -c "DROP DATABASE IF EXISTS $next" -c "DROP DATABASE IF EXISTS $old" \
            -c "CREATE DATABASE $next OWNER $ROLE TEMPLATE template0"
        if ! sql -d "$next" --single-transaction -f "$RESTORED/ask.sql" > /dev/null 2> /tmp/messages; then
            why=''
            while [ -z "$why" ] && read -r line; do
                case $line in *ERROR*) why=$line ;; esac
            done < /tmp/messages
            sql -d postgres -c "DROP DATABASE $next"
            rm -rf "$RESTORED"
            echo "sentence: the assistant's database stays as it was, it cannot load the dump: $why" >&2
            exit 1
        fi
        sql -d postgres > /dev/null << END
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '$DATABASE';
BEGIN;
ALTER DATABASE $DATABASE RENAME TO $old;
ALTER DATABASE $next RENAME TO $DATABASE;
COMMIT;
DROP DATABASE $old WITH (FORCE);
END
        rm -rf "$RESTORED"
        ;;
    count)
        echo "$COUNT" | sql -d "$DATABASE"
        ;;
esac
