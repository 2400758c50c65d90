-- -- undoes line 1: CREATE SEQUENCE numbers AS smallint MAXVALUE 30000 CYCLE
DROP SEQUENCE "public"."numbers";


-- undoes line 2: DROP SEQUENCE "public"."numbers"
CREATE SEQUENCE "public"."numbers" AS smallint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 30000 CACHE 1 CYCLE;
