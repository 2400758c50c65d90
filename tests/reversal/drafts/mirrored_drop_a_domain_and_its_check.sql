-- -- undoes line 1: CREATE TABLE letters (id integer PRIMARY KEY, sender mail)
DROP TABLE "public"."letters";
DROP DOMAIN "public"."mail";


-- RESIDUE: The rows of "public"."letters" are gone; load them from a backup taken before the migration.
-- undoes line 3: DROP DOMAIN "public"."mail"
CREATE DOMAIN "public"."mail" AS text CONSTRAINT mail_check CHECK ((VALUE ~~ '%@%'::text));
-- undoes line 2: DROP TABLE "public"."letters"
CREATE TABLE "public"."letters" (
	"id" integer NOT NULL,
	"sender" public.mail
);
-- NOTE: Rows written since that break "letters_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."letters" ADD CONSTRAINT "letters_pkey" PRIMARY KEY (id);
