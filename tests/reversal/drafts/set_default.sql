-- ALTER TABLE people ALTER COLUMN note SET DEFAULT 'none';

-- undoes line 1: ALTER TABLE people ALTER COLUMN note SET DEFAULT 'none'
ALTER TABLE "public"."people" ALTER COLUMN "note" DROP DEFAULT;
