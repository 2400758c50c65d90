-- -- undoes line 1: CREATE UNIQUE INDEX totals_person ON totals (person_id)
DROP MATERIALIZED VIEW "public"."totals";


-- undoes line 2: DROP MATERIALIZED VIEW "public"."totals"
CREATE MATERIALIZED VIEW "public"."totals" AS
SELECT person_id,
    sum(total) AS total
   FROM shop.orders
  GROUP BY person_id;
CREATE UNIQUE INDEX totals_person ON public.totals USING btree (person_id);
