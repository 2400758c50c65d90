-- -- undoes line 1: ALTER TABLE people ALTER COLUMN note SET DEFAULT 'none'
ALTER TABLE "public"."people" ALTER COLUMN "note" DROP DEFAULT;


-- undoes line 2: ALTER TABLE "public"."people" ALTER COLUMN "note" DROP DEFAULT
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DEFAULT 'none'::text;
