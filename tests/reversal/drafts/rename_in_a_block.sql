-- DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'people' AND column_name = 'note') THEN ALTER TABLE people RENAME COLUMN note TO remark; END IF; END $$;

-- undoes line 1: DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'people' AND col…
ALTER TABLE "public"."people" RENAME COLUMN "remark" TO "note";
