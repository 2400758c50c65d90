-- -- undoes line 1: ALTER TABLE people ALTER COLUMN email DROP NOT NULL
-- NOTE: Rows whose "public"."people"."email" is NULL stop the rollback; give them a value before.
ALTER TABLE "public"."people" ALTER COLUMN "email" SET NOT NULL;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "email" SET NOT NULL
ALTER TABLE "public"."people" ALTER COLUMN "email" DROP NOT NULL;
