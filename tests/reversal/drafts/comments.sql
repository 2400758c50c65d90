-- COMMENT ON TABLE people IS 'Customers'; COMMENT ON COLUMN people.email IS 'unique'; COMMENT ON VIEW adults IS 'of age';

-- undoes line 1: COMMENT ON VIEW adults IS 'of age'
COMMENT ON TABLE "public"."people" IS 'Who buys';
COMMENT ON COLUMN "public"."people"."email" IS NULL;
COMMENT ON VIEW "public"."adults" IS NULL;
