import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
const count = async () => Number((await pool.query("select count(*) from drizzle.__drizzle_migrations")).rows[0].count);
const before = await count().catch(() => 0);
await migrate(drizzle({ client: pool }), { migrationsFolder: "./drizzle" });
console.log(`applied ${(await count()) - before}`);
await pool.end();
