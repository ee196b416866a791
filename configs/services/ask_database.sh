# Starts PostgreSQL. The first start makes the cluster beside its place and moves it there, so that one that was
# interrupted is made again. Each start gives the role the password of its file. No server listens meanwhile.
set -eu
. /etc/ask-database/settings
export PGDATA
umask 077

# Statements on stdin, run by the superuser without a server.
single() {
    postgres --single -D "$PGDATA" -c config_file="$CONFIG/postgresql.conf" -c log_min_messages=fatal \
        -c exit_on_error=on -j "$1" > /dev/null
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$PGDATA.new"
    initdb -D "$PGDATA.new" -U postgres -E UTF8 --locale=C.UTF-8 --data-checksums --auth=trust > /dev/null
    final=$PGDATA
    PGDATA=$final.new
    printf 'CREATE ROLE %s LOGIN;\n\n' "$ROLE" | single postgres
    printf 'CREATE DATABASE %s OWNER %s;\n\n' "$DATABASE" "$ROLE" | single postgres
    mv "$PGDATA" "$final"
    PGDATA=$final
fi
printf "ALTER ROLE %s PASSWORD '%s';\n\n" "$ROLE" "$(cat "$PASSWORD_FILE")" | single postgres
printf 'CREATE EXTENSION IF NOT EXISTS vector;\n\n' | single "$DATABASE"
sh "$CONFIG/data.sh" serve &
postgres -D "$PGDATA" -c config_file="$CONFIG/postgresql.conf" -c hba_file="$CONFIG/pg_hba.conf" &
server=$!
# A SIGTERM would make it wait until every client has left.
trap 'kill -INT "$server"' TERM INT
wait "$server" || wait "$server"
