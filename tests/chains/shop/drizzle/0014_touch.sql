CREATE FUNCTION "touch_order"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.placed_at := OLD.placed_at;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "orders_touch" BEFORE UPDATE ON "orders" FOR EACH ROW EXECUTE FUNCTION "touch_order"();
--> statement-breakpoint
COMMENT ON TABLE "orders" IS 'What somebody wants';
