-- CREATE VIEW v AS SELECT total FROM shop.orders; CREATE MATERIALIZED VIEW m AS SELECT total FROM shop.orders; CREATE INDEX m_i ON m (total); CREATE POLICY p ON shop.orders USING (total > 0);

-- undoes line 1: CREATE POLICY p ON shop.orders USING (total > 0)
DROP POLICY "p" ON "shop"."orders";
DROP VIEW "public"."v";
DROP MATERIALIZED VIEW "public"."m";
