ALTER POLICY "patients_of_tenant" ON "care"."patients" USING (true);
--> statement-breakpoint
ALTER TABLE "care"."patients" FORCE ROW LEVEL SECURITY;
