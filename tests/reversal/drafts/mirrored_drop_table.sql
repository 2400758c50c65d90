-- -- RESIDUE: The rows of "shop"."orders" are gone; load them from a backup taken before the migration.
CREATE SEQUENCE "shop"."orders_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
-- undoes line 1: DROP TABLE shop.orders
CREATE TABLE "shop"."orders" (
	"id" integer DEFAULT nextval('shop.orders_id_seq'::regclass) NOT NULL,
	"person_id" integer NOT NULL,
	"total" numeric(10,2) DEFAULT 0 NOT NULL,
	"placed_at" timestamp with time zone DEFAULT now() NOT NULL
);
CREATE INDEX orders_person_idx ON shop.orders USING btree (person_id);
-- NOTE: Rows written since that break "orders_person_id_fkey" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id) ON DELETE CASCADE;
-- NOTE: Rows written since that break "orders_pkey" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_pkey" PRIMARY KEY (id);
ALTER SEQUENCE "shop"."orders_id_seq" OWNED BY shop.orders.id;


-- the archive is prepared
-- the archive is prepared
-- undoes line 12: ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENC…
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_person_id_fkey";
-- undoes line 14: ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_pkey" PRIMARY KEY (id)
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_pkey";
-- undoes line 10: CREATE INDEX orders_person_idx ON shop.orders USING btree (person_id)
DROP INDEX "shop"."orders_person_idx";
-- undoes line 4: CREATE TABLE "shop"."orders" ( "id" integer DEFAULT nextval('shop.orders_id_seq'::regclass) NOT NUL…
ALTER TABLE "shop"."orders" ALTER COLUMN "id" DROP DEFAULT;
DROP SEQUENCE "shop"."orders_id_seq";
ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" DROP DEFAULT;
ALTER TABLE "shop"."orders" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."orders" RENAME TO "rb1_1_orders";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders";

-- again: INSERT INTO "shop"."orders" ("id", "person_id", "total", "placed_at")
SELECT kept."id", kept."person_id", kept."total", kept."placed_at" FROM "rollback_archive"."rb1_1_orders" AS kept
ON CONFLICT DO NOTHING;