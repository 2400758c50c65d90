-- CREATE MATERIALIZED VIEW totals AS SELECT person_id, sum(total) AS total FROM shop.orders GROUP BY 1; CREATE UNIQUE INDEX totals_person ON totals (person_id);

-- undoes line 1: CREATE UNIQUE INDEX totals_person ON totals (person_id)
DROP MATERIALIZED VIEW "public"."totals";
