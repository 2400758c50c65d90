-- CREATE SEQUENCE numbers AS smallint MAXVALUE 30000 CYCLE;

-- undoes line 1: CREATE SEQUENCE numbers AS smallint MAXVALUE 30000 CYCLE
DROP SEQUENCE "public"."numbers";
