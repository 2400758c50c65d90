DELETE FROM "imports" WHERE "name" LIKE 'tmp%';
--> statement-breakpoint
INSERT INTO "imports" ("id", "name", "kind") OVERRIDING SYSTEM VALUE VALUES (1000, 'marker', 'sql');
