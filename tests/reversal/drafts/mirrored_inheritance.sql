-- -- undoes line 1: CREATE TABLE child (extra text) INHERITS (parent)
DROP TABLE "public"."child";
DROP TABLE "public"."parent";


-- RESIDUE: The rows of "public"."parent" are gone; load them from a backup taken before the migration.
-- RESIDUE: The rows of "public"."child" are gone; load them from a backup taken before the migration.
-- undoes line 3: DROP TABLE "public"."parent"
CREATE TABLE "public"."parent" (
	"id" integer
);
-- undoes line 2: DROP TABLE "public"."child"
CREATE TABLE "public"."child" (
	"extra" text
) INHERITS (public.parent);
