-- -- undoes line 1: CREATE TABLE gifts (id serial PRIMARY KEY, name varchar(10) DEFAULT 'none')
DROP TABLE "public"."gifts";


-- RESIDUE: The rows of "public"."gifts" are gone; load them from a backup taken before the migration.
CREATE SEQUENCE "public"."gifts_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
-- undoes line 2: DROP TABLE "public"."gifts"
CREATE TABLE "public"."gifts" (
	"id" integer DEFAULT nextval('public.gifts_id_seq'::regclass) NOT NULL,
	"name" character varying(10) DEFAULT 'none'::character varying
);
-- NOTE: Rows written since that break "gifts_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."gifts" ADD CONSTRAINT "gifts_pkey" PRIMARY KEY (id);
ALTER SEQUENCE "public"."gifts_id_seq" OWNED BY public.gifts.id;
