-- CREATE VIEW a AS SELECT * FROM adults; CREATE VIEW b AS SELECT id FROM a;

-- undoes line 1: CREATE VIEW b AS SELECT id FROM a
DROP VIEW "public"."b";
DROP VIEW "public"."a";
