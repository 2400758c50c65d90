-- -- undoes line 1: ALTER TABLE a ADD CONSTRAINT a_b_fk FOREIGN KEY (b_id) REFERENCES b (id)
ALTER TABLE "public"."a" DROP CONSTRAINT "a_b_fk";
ALTER TABLE "public"."b" DROP CONSTRAINT "b_a_id_fkey";
-- undoes line 1: ALTER TABLE a ADD CONSTRAINT a_b_fk FOREIGN KEY (b_id) REFERENCES b (id)
DROP TABLE "public"."a";
DROP TABLE "public"."b";


-- RESIDUE: The rows of "public"."a" are gone; load them from a backup taken before the migration.
-- RESIDUE: The rows of "public"."b" are gone; load them from a backup taken before the migration.
-- undoes line 2: ALTER TABLE "public"."a" DROP CONSTRAINT "a_b_fk"
CREATE TABLE "public"."a" (
	"id" integer NOT NULL,
	"b_id" integer
);
-- undoes line 3: ALTER TABLE "public"."b" DROP CONSTRAINT "b_a_id_fkey"
CREATE TABLE "public"."b" (
	"id" integer NOT NULL,
	"a_id" integer
);
-- NOTE: Rows written since that break "a_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."a" ADD CONSTRAINT "a_pkey" PRIMARY KEY (id);
-- undoes line 3: ALTER TABLE "public"."b" DROP CONSTRAINT "b_a_id_fkey"
-- NOTE: Rows written since that break "b_a_id_fkey" stop the rollback; correct them before.
ALTER TABLE "public"."b" ADD CONSTRAINT "b_a_id_fkey" FOREIGN KEY (a_id) REFERENCES public.a(id);
-- NOTE: Rows written since that break "b_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."b" ADD CONSTRAINT "b_pkey" PRIMARY KEY (id);
-- undoes line 2: ALTER TABLE "public"."a" DROP CONSTRAINT "a_b_fk"
-- NOTE: Rows written since that break "a_b_fk" stop the rollback; correct them before.
ALTER TABLE "public"."a" ADD CONSTRAINT "a_b_fk" FOREIGN KEY (b_id) REFERENCES public.b(id);
