-- ALTER TABLE people RENAME COLUMN mood TO feeling;

-- undoes line 1: ALTER TABLE people RENAME COLUMN mood TO feeling
ALTER TABLE "public"."people" RENAME COLUMN "feeling" TO "mood";
