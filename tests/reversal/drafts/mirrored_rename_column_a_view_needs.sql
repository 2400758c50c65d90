-- -- undoes line 1: ALTER TABLE people RENAME COLUMN mood TO feeling
ALTER TABLE "public"."people" RENAME COLUMN "feeling" TO "mood";


-- undoes line 2: ALTER TABLE "public"."people" RENAME COLUMN "feeling" TO "mood"
ALTER TABLE "public"."people" RENAME COLUMN "mood" TO "feeling";
