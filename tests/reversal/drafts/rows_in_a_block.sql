-- DO $$ DECLARE n integer := 0; BEGIN UPDATE people SET note = '' WHERE note IS NULL; ALTER TABLE people ALTER COLUMN note SET DEFAULT ''; END $$;

-- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: DO $$ DECLARE n integer := 0; BEGIN UPDATE people SET note = '' WHERE note IS NULL; ALTER TABLE peo…
ALTER TABLE "public"."people" ALTER COLUMN "note" DROP DEFAULT;
