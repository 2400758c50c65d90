#!/bin/sh
# Run once by the scratch server's image on an empty data folder: SQL that nobody has signed yet runs there, so the
# worker's role may make databases and roles, and reach neither the server's files nor other people's databases.
set -eu
psql -X -q -v ON_ERROR_STOP=1 -U postgres -d postgres -c 'CREATE ROLE rollback_scratch LOGIN CREATEDB CREATEROLE'
