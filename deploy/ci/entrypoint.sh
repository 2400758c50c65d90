#!/bin/sh
# Does what the official postgres image's entrypoint does with the variables that docker-compose.yml uses.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086  (several arguments are meant)
    initdb -D "$PGDATA" -U postgres -A trust -E UTF8 ${POSTGRES_INITDB_ARGS:-} >/dev/null
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=" start >/dev/null
    for script in /docker-entrypoint-initdb.d/*.sh; do
        [ -e "$script" ] && "$script"
    done
    pg_ctl -D "$PGDATA" -w stop >/dev/null
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*"
