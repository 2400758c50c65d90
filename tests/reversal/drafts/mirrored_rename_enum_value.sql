-- -- undoes line 1: ALTER TYPE mood RENAME VALUE 'low' TO 'sad'
ALTER TYPE "public"."mood" RENAME VALUE 'sad' TO 'low';


-- undoes line 2: ALTER TYPE "public"."mood" RENAME VALUE 'sad' TO 'low'
ALTER TYPE "public"."mood" RENAME VALUE 'low' TO 'sad';
