-- -- undoes line 1: ALTER TABLE people ADD COLUMN locale varchar(8) DEFAULT 'fr' NOT NULL
ALTER TABLE "public"."people" DROP COLUMN "locale";


-- RESIDUE: The values of "public"."people"."locale" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "locale"
ALTER TABLE "public"."people" ADD COLUMN "locale" character varying(8) DEFAULT 'fr'::character varying NOT NULL;
