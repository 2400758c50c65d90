-- DROP VIEW adults; ALTER TABLE people ALTER COLUMN mood SET DATA TYPE text; ALTER TABLE people ALTER COLUMN mood SET DEFAULT 'fine'::text; UPDATE people SET mood = 'fine' WHERE mood = 'low'; DROP TYPE mood; CREATE TYPE mood AS ENUM ('fine', 'high'); ALTER TABLE people ALTER COLUMN mood SET DEFAULT 'fine'::mood; ALTER TABLE people ALTER COLUMN mood SET DATA TYPE mood USING mood::mood; CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18;

-- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18
ALTER TYPE "public"."mood" ADD VALUE 'low' BEFORE 'fine';
