-- ALTER TYPE mood RENAME TO feeling;

-- undoes line 1: ALTER TYPE mood RENAME TO feeling
ALTER TYPE "public"."feeling" RENAME TO "mood";
