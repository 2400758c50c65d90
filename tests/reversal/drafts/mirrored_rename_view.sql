-- -- undoes line 1: ALTER VIEW adults RENAME TO grown_ups
ALTER VIEW "public"."grown_ups" RENAME TO "adults";


-- undoes line 2: ALTER VIEW "public"."grown_ups" RENAME TO "adults"
ALTER VIEW "public"."adults" RENAME TO "grown_ups";
