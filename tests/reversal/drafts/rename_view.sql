-- ALTER VIEW adults RENAME TO grown_ups;

-- undoes line 1: ALTER VIEW adults RENAME TO grown_ups
ALTER VIEW "public"."grown_ups" RENAME TO "adults";
