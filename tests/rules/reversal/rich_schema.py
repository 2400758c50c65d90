"""A schema with something of everything that the catalog facts speak of, for the mutation test."""

ROLES = ("facts_owner", "facts_reader")

SCHEMA = """
CREATE EXTENSION IF NOT EXISTS plpgsql;
CREATE SCHEMA shop; CREATE SCHEMA spare;
CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE shop.kind AS ENUM ('one', 'two');
CREATE TYPE shop.address AS (street text COLLATE "C", number integer);
CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN shop.email AS text NOT NULL DEFAULT 'x' CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
CREATE DOMAIN shop.phone AS text CONSTRAINT short CHECK (length(VALUE) < 20);
CREATE COLLATION shop.german (provider = builtin, locale = 'C.UTF-8');
CREATE SEQUENCE shop.numbers START 10 INCREMENT 2 CACHE 5;
CREATE TABLE shop.people (
    id integer GENERATED ALWAYS AS IDENTITY (START 100) PRIMARY KEY,
    name varchar(40) NOT NULL DEFAULT 'nobody', nick text COLLATE "C", mail shop.email, mood shop.mood DEFAULT 'ok',
    born timestamptz DEFAULT '2020-01-01 00:00:00+00', home shop.address, age integer, twice integer GENERATED ALWAYS AS (age * 2) STORED,
    boss integer, CONSTRAINT grown CHECK (age > 0), CONSTRAINT one_mail UNIQUE (mail) DEFERRABLE,
    CONSTRAINT boss_fk FOREIGN KEY (boss) REFERENCES shop.people (id) ON DELETE SET NULL);
ALTER TABLE shop.people ADD CONSTRAINT young CHECK (age < 200) NOT VALID;
ALTER TABLE shop.people ADD CONSTRAINT apart EXCLUDE USING btree (nick WITH =);
CREATE TABLE shop.orders (id bigserial PRIMARY KEY, person integer NOT NULL REFERENCES shop.people, total numeric(10, 2), note varchar(40),
    placed date NOT NULL DEFAULT '2024-02-03') WITH (fillfactor = 70);
CREATE INDEX orders_person ON shop.orders (person);
CREATE INDEX orders_half ON shop.orders ((total / 2) DESC NULLS LAST) WHERE total > 0;
CREATE UNIQUE INDEX orders_key ON shop.orders (id);
ALTER TABLE shop.orders CLUSTER ON orders_person;
CREATE TABLE shop.events (id integer NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE shop.events_a PARTITION OF shop.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shop.events_b PARTITION OF shop.events DEFAULT;
CREATE TABLE shop.loose (id integer NOT NULL, at date NOT NULL);
CREATE TABLE shop.printed (late interval DEFAULT '1 day 2 hours', part float8 DEFAULT '0.1234567890123', raw bytea DEFAULT '\\x00ff');
ALTER TABLE shop.printed OWNER TO facts_owner;
CREATE TABLE shop.base (id integer, label text); CREATE TABLE shop.child (extra text) INHERITS (shop.base);
CREATE UNLOGGED TABLE shop.cache (key text, value text);
CREATE VIEW shop.adults WITH (security_barrier) AS SELECT id, name FROM shop.people WHERE age >= 18;
CREATE MATERIALIZED VIEW shop.totals AS SELECT person, sum(total) AS total FROM shop.orders GROUP BY person;
CREATE UNIQUE INDEX totals_person ON shop.totals (person);
CREATE FUNCTION shop.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION shop.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION shop.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION shop.as_text(shop.address) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).street';
CREATE FUNCTION shop.same(shop.address, shop.address) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).number = ($2).number';
CREATE PROCEDURE shop.clean() LANGUAGE sql AS 'DELETE FROM shop.cache';
CREATE AGGREGATE shop.largest (integer) (SFUNC = int4larger, STYPE = integer, COMBINEFUNC = int4larger, PARALLEL = SAFE);
CREATE CAST (shop.address AS text) WITH FUNCTION shop.as_text(shop.address) AS ASSIGNMENT;
CREATE OPERATOR shop.=== (LEFTARG = shop.address, RIGHTARG = shop.address, FUNCTION = shop.same, COMMUTATOR = OPERATOR(shop.===), RESTRICT = eqsel);
CREATE OPERATOR FAMILY shop.family USING btree;
CREATE TRIGGER touched BEFORE UPDATE ON shop.people FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON shop.orders DEFERRABLE FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE RULE quiet AS ON DELETE TO shop.cache DO INSTEAD NOTHING;
ALTER TABLE shop.people ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.people FOR SELECT TO facts_reader USING (name = CURRENT_USER);
CREATE STATISTICS shop.related (ndistinct, dependencies) ON person, total FROM shop.orders;
CREATE EVENT TRIGGER watching ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'ALTER TABLE') EXECUTE FUNCTION shop.watch();
ALTER EVENT TRIGGER watching DISABLE;
CREATE PUBLICATION part FOR TABLE shop.people (id, name), shop.orders WHERE (id > 5);
CREATE PUBLICATION whole FOR TABLES IN SCHEMA spare;
CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER far FOREIGN DATA WRAPPER wrapper OPTIONS (host 'a', port '1');
CREATE USER MAPPING FOR facts_reader SERVER far;
CREATE FOREIGN TABLE shop.distant (id integer OPTIONS (name 'x')) SERVER far OPTIONS (path 'p');
CREATE TEXT SEARCH DICTIONARY shop.words (TEMPLATE = simple, accept = true);
CREATE TEXT SEARCH CONFIGURATION shop.plain (COPY = simple);
CREATE TABLE public.noted (id integer);
CREATE TYPE shop.pair AS (id integer, at date);
COMMENT ON TABLE shop.people IS 'People'; COMMENT ON COLUMN shop.people.name IS 'Name'; COMMENT ON TYPE shop.mood IS 'Mood';
COMMENT ON CONSTRAINT grown ON shop.people IS 'Grown'; COMMENT ON TRIGGER touched ON shop.people IS 'Touched';
COMMENT ON POLICY own ON shop.people IS 'Own'; COMMENT ON FUNCTION shop.add(integer, integer) IS 'Adds';
COMMENT ON CONSTRAINT has_at ON DOMAIN shop.email IS 'At'; COMMENT ON SCHEMA shop IS 'Shop'; COMMENT ON INDEX shop.orders_person IS 'Who';
GRANT USAGE ON SCHEMA shop TO facts_reader; GRANT SELECT ON shop.people TO facts_reader;
GRANT UPDATE (name) ON shop.people TO facts_reader; GRANT USAGE ON SEQUENCE shop.numbers TO facts_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO facts_reader;
"""

# Mutation: name → SQL. Each is run alone on the schema above, and each must be seen.
MUTATIONS = {
    "table made": "CREATE TABLE shop.more (id integer)",
    "table dropped": "DROP TABLE shop.loose",
    "table renamed": "ALTER TABLE shop.loose RENAME TO looser",
    "table moved": "ALTER TABLE shop.loose SET SCHEMA spare",
    "table logged": "ALTER TABLE shop.cache SET LOGGED",
    "schema made": "CREATE SCHEMA more",
    "schema dropped": "DROP SCHEMA spare CASCADE",
    "column added": "ALTER TABLE shop.people ADD more text",
    "column dropped": "ALTER TABLE shop.people DROP home",
    "column renamed": "ALTER TABLE shop.people RENAME home TO house",
    "column widened": "ALTER TABLE shop.orders ALTER note TYPE varchar(41)",
    "column of another type": "ALTER TABLE shop.people ALTER boss TYPE bigint",
    "column collated": 'ALTER TABLE shop.people ALTER nick TYPE text COLLATE "POSIX"',
    "default set": "ALTER TABLE shop.people ALTER name SET DEFAULT 'somebody'",
    "default dropped": "ALTER TABLE shop.people ALTER name DROP DEFAULT",
    "not null set": "ALTER TABLE shop.people ALTER age SET NOT NULL",
    "not null dropped": "ALTER TABLE shop.people ALTER name DROP NOT NULL",
    "not null renamed": "ALTER TABLE shop.people RENAME CONSTRAINT people_name_not_null TO named",
    "identity by default": "ALTER TABLE shop.people ALTER id SET GENERATED BY DEFAULT",
    "identity dropped": "ALTER TABLE shop.people ALTER id DROP IDENTITY",
    "identity steps": "ALTER TABLE shop.people ALTER id SET INCREMENT BY 3",
    "generated no longer": "ALTER TABLE shop.people ALTER twice DROP EXPRESSION",
    "generated otherwise": "ALTER TABLE shop.people ALTER twice SET EXPRESSION AS (age * 3)",
    "storage": "ALTER TABLE shop.people ALTER nick SET STORAGE EXTERNAL",
    "compression": "ALTER TABLE shop.people ALTER nick SET COMPRESSION pglz",
    "statistics target": "ALTER TABLE shop.people ALTER age SET STATISTICS 500",
    "column option": "ALTER TABLE shop.people ALTER age SET (n_distinct = 5)",
    "primary key dropped": "ALTER TABLE shop.events DROP CONSTRAINT events_pkey",
    "check added": "ALTER TABLE shop.orders ADD CONSTRAINT positive CHECK (total >= 0)",
    "check dropped": "ALTER TABLE shop.people DROP CONSTRAINT grown",
    "check validated": "ALTER TABLE shop.people VALIDATE CONSTRAINT young",
    "constraint renamed": "ALTER TABLE shop.people RENAME CONSTRAINT grown TO tall",
    "constraint deferrable": "ALTER TABLE shop.people ALTER CONSTRAINT boss_fk DEFERRABLE INITIALLY DEFERRED",
    "constraint not enforced": "ALTER TABLE shop.people ALTER CONSTRAINT boss_fk NOT ENFORCED",
    "foreign key otherwise": """ALTER TABLE shop.people DROP CONSTRAINT boss_fk,
        ADD CONSTRAINT boss_fk FOREIGN KEY (boss) REFERENCES shop.people (id) ON DELETE CASCADE""",
    "exclusion dropped": "ALTER TABLE shop.people DROP CONSTRAINT apart",
    "unique dropped": "ALTER TABLE shop.people DROP CONSTRAINT one_mail",
    "index made": "CREATE INDEX more ON shop.people (age)",
    "index dropped": "DROP INDEX shop.orders_half",
    "index renamed": "ALTER INDEX shop.orders_half RENAME TO orders_part",
    "index invalid": "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.orders_half'::regclass",
    "index option": "ALTER INDEX shop.orders_person SET (fillfactor = 50)",
    "index statistics": "ALTER INDEX shop.orders_half ALTER COLUMN 1 SET STATISTICS 700",
    "index of a materialized view": "DROP INDEX shop.totals_person",
    "clustered otherwise": "ALTER TABLE shop.orders CLUSTER ON orders_pkey",
    "clustered no longer": "ALTER TABLE shop.orders SET WITHOUT CLUSTER",
    "replica identity full": "ALTER TABLE shop.orders REPLICA IDENTITY FULL",
    "replica identity by index": "ALTER TABLE shop.orders REPLICA IDENTITY USING INDEX orders_key",
    "table option": "ALTER TABLE shop.orders SET (fillfactor = 80)",
    "toast option": "ALTER TABLE shop.people SET (toast.autovacuum_enabled = false)",
    "view option": "ALTER VIEW shop.adults SET (security_invoker = true)",
    "tablespace": "UPDATE pg_class SET reltablespace = 1663 WHERE oid = 'shop.loose'::regclass",
    "index tablespace": "UPDATE pg_class SET reltablespace = 1663 WHERE oid = 'shop.orders_half'::regclass",
    "access method": "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler; ALTER TABLE shop.loose SET ACCESS METHOD heap2",
    "access method made": "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
    "sequence made": "CREATE SEQUENCE shop.more",
    "sequence increment": "ALTER SEQUENCE shop.numbers INCREMENT 3",
    "sequence start": "ALTER SEQUENCE shop.numbers START 12",
    "sequence limit": "ALTER SEQUENCE shop.numbers MAXVALUE 99",
    "sequence cycle": "ALTER SEQUENCE shop.numbers CYCLE",
    "sequence cache": "ALTER SEQUENCE shop.numbers CACHE 1",
    "sequence type": "ALTER SEQUENCE shop.numbers AS integer",
    "sequence owned": "ALTER SEQUENCE shop.numbers OWNED BY shop.people.age",
    "sequence no longer owned": "ALTER SEQUENCE shop.orders_id_seq OWNED BY NONE",
    "enum value added": "ALTER TYPE shop.mood ADD VALUE 'wild'",
    "enum value in another place": "ALTER TYPE shop.kind ADD VALUE 'zero' BEFORE 'one'",
    "enum value renamed": "ALTER TYPE shop.mood RENAME VALUE 'ok' TO 'fine'",
    "enum order": "UPDATE pg_enum SET enumsortorder = -1 WHERE enumlabel = 'happy'",
    "enum renamed": "ALTER TYPE shop.kind RENAME TO sort",
    "enum dropped": "DROP TYPE shop.kind",
    "domain default": "ALTER DOMAIN shop.email SET DEFAULT 'y'",
    "domain not null": "ALTER DOMAIN shop.phone SET NOT NULL",
    "domain check dropped": "ALTER DOMAIN shop.phone DROP CONSTRAINT short",
    "domain check renamed": "ALTER DOMAIN shop.phone RENAME CONSTRAINT short TO brief",
    "domain check not valid": "ALTER DOMAIN shop.phone ADD CONSTRAINT digits CHECK (VALUE ~ '1') NOT VALID",
    "domain checks exchanged": """ALTER DOMAIN shop.phone DROP CONSTRAINT short; ALTER DOMAIN shop.email DROP CONSTRAINT has_at;
        ALTER DOMAIN shop.email ADD CONSTRAINT short CHECK (length(VALUE) < 20);
        ALTER DOMAIN shop.phone ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%')""",
    "composite attribute": "ALTER TYPE shop.address ADD ATTRIBUTE town text",
    "composite attribute renamed": "ALTER TYPE shop.address RENAME ATTRIBUTE street TO road",
    "composite collation": """UPDATE pg_attribute SET attcollation = 100 WHERE attname = 'street'""",
    "range dropped": "DROP TYPE shop.span",
    "range difference": "UPDATE pg_range SET rngsubdiff = 0 WHERE rngtypid = 'shop.span'::regtype",
    "multirange renamed": "ALTER TYPE shop.span_multirange RENAME TO spans",
    "collation renamed": "ALTER COLLATION shop.german RENAME TO swiss",
    "collation otherwise": "DROP COLLATION shop.german; CREATE COLLATION shop.german (provider = builtin, locale = 'PG_UNICODE_FAST')",
    "view otherwise": "CREATE OR REPLACE VIEW shop.adults WITH (security_barrier) AS SELECT id, name FROM shop.people WHERE age >= 21",
    "view dropped": "DROP VIEW shop.adults",
    "materialized view emptied": "REFRESH MATERIALIZED VIEW shop.totals WITH NO DATA",
    "function body": "CREATE OR REPLACE FUNCTION shop.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT b + a'",
    "function argument default": "CREATE OR REPLACE FUNCTION shop.add(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a + b'",
    "function as its definer": "ALTER FUNCTION shop.add SECURITY DEFINER",
    "function setting": "ALTER FUNCTION shop.add SET work_mem = '8MB'",
    "function volatility": "ALTER FUNCTION shop.add STABLE",
    "function strict": "ALTER FUNCTION shop.add STRICT",
    "function leakproof": "ALTER FUNCTION shop.add LEAKPROOF",
    "function parallel": "ALTER FUNCTION shop.add PARALLEL SAFE",
    "function cost": "ALTER FUNCTION shop.add COST 7",
    "function renamed": "ALTER FUNCTION shop.add RENAME TO plus",
    "function dependent on an extension": "ALTER FUNCTION shop.add DEPENDS ON EXTENSION plpgsql",
    "procedure dropped": "DROP PROCEDURE shop.clean",
    "aggregate parallel": """CREATE OR REPLACE AGGREGATE shop.largest (integer) (SFUNC = int4larger, STYPE = integer, COMBINEFUNC = int4larger)""",
    "aggregate combine": "CREATE OR REPLACE AGGREGATE shop.largest (integer) (SFUNC = int4larger, STYPE = integer, PARALLEL = SAFE)",
    "aggregate start": "CREATE OR REPLACE AGGREGATE shop.largest (integer) (SFUNC = int4larger, STYPE = integer, COMBINEFUNC = int4larger, INITCOND = '0', PARALLEL = SAFE)",
    "trigger dropped": "DROP TRIGGER touched ON shop.people",
    "trigger disabled": "ALTER TABLE shop.people DISABLE TRIGGER touched",
    "trigger always": "ALTER TABLE shop.people ENABLE ALWAYS TRIGGER touched",
    "trigger calls another function": "CREATE OR REPLACE TRIGGER touched BEFORE UPDATE ON shop.people FOR EACH ROW EXECUTE FUNCTION shop.other()",
    "trigger of a foreign key disabled": "ALTER TABLE shop.orders DISABLE TRIGGER ALL",
    "rule dropped": "DROP RULE quiet ON shop.cache",
    "rule disabled": "ALTER TABLE shop.cache DISABLE RULE quiet",
    "policy dropped": "DROP POLICY own ON shop.people",
    "policy expression": "ALTER POLICY own ON shop.people USING (true)",
    "policy roles": "ALTER POLICY own ON shop.people TO public",
    "policy renamed": "ALTER POLICY own ON shop.people RENAME TO mine",
    "policy restrictive": "DROP POLICY own ON shop.people; CREATE POLICY own ON shop.people AS RESTRICTIVE FOR SELECT TO facts_reader USING (name = CURRENT_USER)",
    "row security off": "ALTER TABLE shop.people DISABLE ROW LEVEL SECURITY",
    "row security forced": "ALTER TABLE shop.people FORCE ROW LEVEL SECURITY",
    "table granted": "GRANT INSERT ON shop.orders TO facts_reader",
    "table granted to everybody": "GRANT SELECT ON shop.orders TO PUBLIC",
    "table revoked": "REVOKE SELECT ON shop.people FROM facts_reader",
    "grant option": "GRANT SELECT ON shop.people TO facts_reader WITH GRANT OPTION",
    "column granted": "GRANT UPDATE (age) ON shop.people TO facts_reader",
    "column revoked": "REVOKE UPDATE (name) ON shop.people FROM facts_reader",
    "schema revoked": "REVOKE USAGE ON SCHEMA shop FROM facts_reader",
    "function revoked": "REVOKE EXECUTE ON FUNCTION shop.add FROM PUBLIC",
    "type revoked": "REVOKE USAGE ON TYPE shop.mood FROM PUBLIC",
    "composite type revoked": "REVOKE USAGE ON TYPE shop.address FROM PUBLIC",
    "sequence granted": "GRANT UPDATE ON SEQUENCE shop.numbers TO facts_reader",
    "language revoked": "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
    "foreign server granted": "GRANT USAGE ON FOREIGN SERVER far TO facts_reader",
    "foreign data wrapper granted": "GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO facts_reader",
    "default privileges": "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT INSERT ON TABLES TO facts_reader",
    "default privileges of functions": "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "table owner": "ALTER TABLE shop.people OWNER TO facts_owner",
    "view owner": "ALTER VIEW shop.adults OWNER TO facts_owner",
    "sequence owner": "ALTER SEQUENCE shop.numbers OWNER TO facts_owner",
    "type owner": "ALTER TYPE shop.mood OWNER TO facts_owner",
    "composite type owner": "ALTER TYPE shop.address OWNER TO facts_owner",
    "function owner": "ALTER FUNCTION shop.add OWNER TO facts_owner",
    "schema owner": "ALTER SCHEMA shop OWNER TO facts_owner",
    "statistics owner": "ALTER STATISTICS shop.related OWNER TO facts_owner",
    "operator owner": "ALTER OPERATOR shop.=== (shop.address, shop.address) OWNER TO facts_owner",
    "publication owner": "ALTER PUBLICATION part OWNER TO facts_owner",
    "foreign server owner": "GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO facts_owner; ALTER SERVER far OWNER TO facts_owner",
    "table comment": "COMMENT ON TABLE shop.people IS 'Folk'",
    "column comment": "COMMENT ON COLUMN shop.people.name IS NULL",
    "type comment": "COMMENT ON TYPE shop.mood IS 'Temper'",
    "constraint comment": "COMMENT ON CONSTRAINT grown ON shop.people IS 'Tall'",
    "domain constraint comment": "COMMENT ON CONSTRAINT has_at ON DOMAIN shop.email IS 'Sign'",
    "trigger comment": "COMMENT ON TRIGGER touched ON shop.people IS NULL",
    "rule comment": "COMMENT ON RULE quiet ON shop.cache IS 'Quiet'",
    "policy comment": "COMMENT ON POLICY own ON shop.people IS 'Mine'",
    "function comment": "COMMENT ON FUNCTION shop.add IS 'Sums'",
    "index comment": "COMMENT ON INDEX shop.orders_person IS NULL",
    "schema comment": "COMMENT ON SCHEMA shop IS 'Store'",
    "public schema comment": "COMMENT ON SCHEMA public IS 'Ours'",
    "event trigger comment": "COMMENT ON EVENT TRIGGER watching IS 'Eye'",
    "extension dropped": "DROP EXTENSION plpgsql CASCADE",
    "extension version": "UPDATE pg_extension SET extversion = '2.0' WHERE extname = 'plpgsql'",
    "partition detached": "ALTER TABLE shop.events DETACH PARTITION shop.events_a",
    "partition attached": "ALTER TABLE shop.events ATTACH PARTITION shop.loose FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
    "partition made": "CREATE TABLE shop.events_c PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "inheritance ended": "ALTER TABLE shop.child NO INHERIT shop.base",
    "statistics dropped": "DROP STATISTICS shop.related",
    "statistics made": "CREATE STATISTICS shop.more ON name, age FROM shop.people",
    "statistics object target": "ALTER STATISTICS shop.related SET STATISTICS 50",
    "publication made": "CREATE PUBLICATION more FOR ALL TABLES",
    "publication table added": "ALTER PUBLICATION part ADD TABLE shop.base",
    "publication table dropped": "ALTER PUBLICATION part DROP TABLE shop.orders",
    "publication columns": "ALTER PUBLICATION part SET TABLE shop.people (id), shop.orders WHERE (id > 5)",
    "publication rows": "ALTER PUBLICATION part SET TABLE shop.people (id, name), shop.orders WHERE (id > 6)",
    "publication schema": "ALTER PUBLICATION whole ADD TABLES IN SCHEMA shop",
    "publication actions": "ALTER PUBLICATION part SET (publish = 'insert')",
    "publication via root": "ALTER PUBLICATION part SET (publish_via_partition_root = true)",
    "subscription made": "CREATE SUBSCRIPTION incoming CONNECTION 'host=localhost' PUBLICATION part WITH (connect = false, slot_name = NONE)",
    "event trigger dropped": "DROP EVENT TRIGGER watching",
    "event trigger enabled": "ALTER EVENT TRIGGER watching ENABLE REPLICA",
    "cast dropped": "DROP CAST (shop.address AS text)",
    "cast context": "DROP CAST (shop.address AS text); CREATE CAST (shop.address AS text) WITH FUNCTION shop.as_text(shop.address) AS IMPLICIT",
    "operator dropped": "DROP OPERATOR shop.=== (shop.address, shop.address)",
    "operator estimate": "ALTER OPERATOR shop.=== (shop.address, shop.address) SET (RESTRICT = NONE)",
    "operator family dropped": "DROP OPERATOR FAMILY shop.family USING btree",
    "operator family member": "ALTER OPERATOR FAMILY shop.family USING btree ADD OPERATOR 1 < (integer, integer)",
    "operator class made": "CREATE OPERATOR CLASS shop.class FOR TYPE integer USING btree FAMILY shop.family AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer)",
    "foreign data wrapper option": "ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (ADD debug 'on')",
    "foreign server option": "ALTER SERVER far OPTIONS (SET host 'b')",
    "foreign server version": "ALTER SERVER far VERSION '2'",
    "foreign table option": "ALTER FOREIGN TABLE shop.distant OPTIONS (SET path 'q')",
    "foreign table column option": "ALTER FOREIGN TABLE shop.distant ALTER id OPTIONS (SET name 'y')",
    "foreign table dropped": "DROP FOREIGN TABLE shop.distant",
    "user mapping dropped": "DROP USER MAPPING FOR facts_reader SERVER far",
    "text search dictionary": "ALTER TEXT SEARCH DICTIONARY shop.words (accept = false)",
    "text search mapping": "ALTER TEXT SEARCH CONFIGURATION shop.plain ALTER MAPPING FOR word WITH shop.words",
    "text search configuration dropped": "DROP TEXT SEARCH CONFIGURATION shop.plain",
    "conversion made": "CREATE CONVERSION shop.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    "language made": "CREATE LANGUAGE more HANDLER plpgsql_call_handler",
    "base type made": "CREATE TYPE shop.raw",
    "typed table": "ALTER TABLE shop.loose OF shop.pair",
}

# Done and undone: the catalog must be what it was, though the columns may stand otherwise.
UNDONE = {
    "column": "ALTER TABLE shop.people ADD more text NOT NULL DEFAULT 'x'; ALTER TABLE shop.people DROP more",
    "table": "CREATE TABLE shop.more (id serial PRIMARY KEY); DROP TABLE shop.more",
    "index": "CREATE INDEX more ON shop.people (age); DROP INDEX shop.more",
    "option order": "ALTER TABLE shop.orders RESET (fillfactor), SET (autovacuum_enabled = true); ALTER TABLE shop.orders SET (fillfactor = 70), RESET (autovacuum_enabled)",
    "foreign option order": "ALTER SERVER far OPTIONS (DROP host); ALTER SERVER far OPTIONS (ADD host 'a')",
    "grant": "GRANT INSERT ON shop.orders TO facts_reader; REVOKE INSERT ON shop.orders FROM facts_reader",
    "default privileges": "ALTER DEFAULT PRIVILEGES IN SCHEMA spare GRANT SELECT ON TABLES TO facts_owner; ALTER DEFAULT PRIVILEGES IN SCHEMA spare REVOKE SELECT ON TABLES FROM facts_owner",
    "owner": "ALTER FUNCTION shop.add OWNER TO facts_owner; ALTER FUNCTION shop.add OWNER TO CURRENT_USER",
    "comment": "COMMENT ON TABLE shop.orders IS 'x'; COMMENT ON TABLE shop.orders IS NULL",
    "partition": "ALTER TABLE shop.events DETACH PARTITION shop.events_a; ALTER TABLE shop.events ATTACH PARTITION shop.events_a FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "publication member": "ALTER PUBLICATION part DROP TABLE shop.people; ALTER PUBLICATION part ADD TABLE shop.people (name, id)",
    "enum": "ALTER TYPE shop.mood RENAME VALUE 'ok' TO 'fine'; ALTER TYPE shop.mood RENAME VALUE 'fine' TO 'ok'",
    "row security": "ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY; ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY",
    "trigger": "ALTER TABLE shop.people DISABLE TRIGGER touched; ALTER TABLE shop.people ENABLE TRIGGER touched",
    "statistics target": "ALTER TABLE shop.people ALTER age SET STATISTICS 9; ALTER TABLE shop.people ALTER age SET STATISTICS -1",
}
