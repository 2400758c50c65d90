-- CREATE VIEW notes AS SELECT note FROM people;

-- undoes line 1: CREATE VIEW notes AS SELECT note FROM people
DROP VIEW "public"."notes";
