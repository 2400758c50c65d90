-- The worker's own role on a target: it becomes the owner of the migrated objects, and is nothing beyond that.
-- As a superuser (or the managed service's administrator), against the target's own database:
--
--   psql "$DIRECT_DATABASE_URL" -v worker=rollback_worker -v owner=shop_owner -v ledger=drizzle -f deploy/create-target-role.sql
--   psql "$DIRECT_DATABASE_URL" -c '\password rollback_worker'
--
-- Then register the target with --owner-role shop_owner. The portal refuses a role that is, or may become, a superuser,
-- creates roles, replicates, or reaches files and programs of the server.
\set ON_ERROR_STOP on
BEGIN;
CREATE ROLE :"worker" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 20;
-- pg_dump reads, and the rollback changes, what the owner owns.
GRANT :"owner" TO :"worker";
-- Rows that a rollback would destroy are first moved to the schema rollback_archive.
GRANT CONNECT, CREATE ON DATABASE :"DBNAME" TO :"owner";
GRANT USAGE ON SCHEMA :"ledger" TO :"worker";
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA :"ledger" TO :"worker";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA :"ledger" TO :"worker";
-- So that the run page can say what the sessions that block a rollback are doing.
GRANT pg_read_all_stats TO :"worker";
COMMIT;
