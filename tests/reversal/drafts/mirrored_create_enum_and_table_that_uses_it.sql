-- -- undoes line 1: CREATE TABLE paint (id integer PRIMARY KEY, colour colour DEFAULT 'red' NOT NULL, more colour[])
DROP TABLE "public"."paint";
DROP TYPE "public"."colour";


-- RESIDUE: The rows of "public"."paint" are gone; load them from a backup taken before the migration.
-- undoes line 3: DROP TYPE "public"."colour"
CREATE TYPE "public"."colour" AS ENUM ('red', 'green');
-- undoes line 2: DROP TABLE "public"."paint"
CREATE TABLE "public"."paint" (
	"id" integer NOT NULL,
	"colour" public.colour DEFAULT 'red'::public.colour NOT NULL,
	"more" public.colour[]
);
-- NOTE: Rows written since that break "paint_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."paint" ADD CONSTRAINT "paint_pkey" PRIMARY KEY (id);
