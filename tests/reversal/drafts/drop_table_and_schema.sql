-- DROP TABLE shop.orders; DROP SCHEMA shop;

-- RESIDUE: The rows of "shop"."orders" are gone; load them from a backup taken before the migration.
-- undoes line 1: DROP SCHEMA shop
CREATE SCHEMA "shop";
CREATE SEQUENCE "shop"."orders_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
-- undoes line 1: DROP SCHEMA shop
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
