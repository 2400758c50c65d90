-- -- undoes line 1: CREATE POLICY p ON shop.orders USING (total > 0)
DROP POLICY "p" ON "shop"."orders";
DROP VIEW "public"."v";
DROP MATERIALIZED VIEW "public"."m";


-- undoes line 4: DROP MATERIALIZED VIEW "public"."m"
CREATE MATERIALIZED VIEW "public"."m" AS
SELECT total
   FROM shop.orders;
CREATE INDEX m_i ON public.m USING btree (total);
-- undoes line 3: DROP VIEW "public"."v"
CREATE VIEW "public"."v" AS
SELECT total
   FROM shop.orders;
-- undoes line 2: DROP POLICY "p" ON "shop"."orders"
CREATE POLICY "p" ON "shop"."orders" AS PERMISSIVE FOR ALL TO PUBLIC USING ((total > (0)::numeric));
