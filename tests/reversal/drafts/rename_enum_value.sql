-- ALTER TYPE mood RENAME VALUE 'low' TO 'sad';

-- undoes line 1: ALTER TYPE mood RENAME VALUE 'low' TO 'sad'
ALTER TYPE "public"."mood" RENAME VALUE 'sad' TO 'low';
