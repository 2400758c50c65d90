ALTER TYPE "mood" ADD VALUE 'fine';--> statement-breakpoint
CREATE TABLE "pets" (
	"owner" integer,
	"tag" text CONSTRAINT "pet_tag" UNIQUE,
	CONSTRAINT "pets_pkey" PRIMARY KEY("owner","tag")
);
--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "age" integer DEFAULT 3;--> statement-breakpoint
ALTER TABLE "pets" ADD CONSTRAINT "pets_owner_people_id_fkey" FOREIGN KEY ("owner") REFERENCES "people"("id");