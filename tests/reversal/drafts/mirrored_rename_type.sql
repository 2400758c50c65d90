-- -- undoes line 1: ALTER TYPE mood RENAME TO feeling
ALTER TYPE "public"."feeling" RENAME TO "mood";


-- undoes line 2: ALTER TYPE "public"."feeling" RENAME TO "mood"
ALTER TYPE "public"."mood" RENAME TO "feeling";
