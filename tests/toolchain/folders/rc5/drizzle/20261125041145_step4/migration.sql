ALTER TABLE "animals" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "animals" ADD COLUMN "chip" text;--> statement-breakpoint
CREATE POLICY "mine" ON "animals" AS PERMISSIVE FOR SELECT TO public USING (true);