-- Custom SQL migration file, put your code below! --
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.age := NEW.age; RETURN NEW; END $$;
--> statement-breakpoint
CREATE TRIGGER people_touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
