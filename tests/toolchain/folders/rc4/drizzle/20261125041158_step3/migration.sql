ALTER TABLE "pets" RENAME TO "animals";--> statement-breakpoint
ALTER TABLE "people" RENAME COLUMN "name" TO "full_name";--> statement-breakpoint
ALTER TABLE "people" DROP CONSTRAINT "named", ADD CONSTRAINT "named" CHECK (length("full_name") > 0);