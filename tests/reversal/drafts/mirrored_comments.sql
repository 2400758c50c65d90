-- -- undoes line 1: COMMENT ON VIEW adults IS 'of age'
COMMENT ON TABLE "public"."people" IS 'Who buys';
COMMENT ON COLUMN "public"."people"."email" IS NULL;
COMMENT ON VIEW "public"."adults" IS NULL;


-- undoes line 2: COMMENT ON TABLE "public"."people" IS 'Who buys'
COMMENT ON TABLE "public"."people" IS 'Customers';
-- undoes line 3: COMMENT ON COLUMN "public"."people"."email" IS NULL
COMMENT ON COLUMN "public"."people"."email" IS 'unique';
-- undoes line 4: COMMENT ON VIEW "public"."adults" IS NULL
COMMENT ON VIEW "public"."adults" IS 'of age';
