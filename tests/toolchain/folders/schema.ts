import { sql } from "drizzle-orm";
import { boolean, check, index, integer, pgEnum, pgPolicy, pgTable, pgView, primaryKey, text, unique } from "drizzle-orm/pg-core";

// STEP says which state of the schema this is, EXTRA adds one column to it.
const step = Number(process.env.STEP);
const from = <T extends object>(first: number, part: T) => (step >= first ? part : {}) as T;

export const mood = pgEnum("mood", step >= 2 ? ["ok", "bad", "fine"] : ["ok", "bad"]);
export const people = pgTable(
  "people",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text(step >= 3 ? "full_name" : "name").notNull(),
    mood: mood(),
    ...from(2, { age: integer().default(3) }),
    ...(process.env.EXTRA ? { active: boolean().notNull().default(true) } : {}),
  },
  (t) => [index("people_name").on(t.name), check("named", sql`length(${t.name}) > 0`)],
);
const petTable = step >= 3 ? "animals" : "pets";
const pets = pgTable(
  petTable,
  { owner: integer().references(() => people.id), tag: text(), ...from(4, { chip: text() }) },
  (t) => [primaryKey({ columns: [t.owner, t.tag] }), unique("pet_tag").on(t.tag), ...(step >= 4 ? [pgPolicy("mine", { for: "select", using: sql`true` })] : [])],
);
export const adults = pgView("adults").as((q) => q.select({ id: people.id }).from(people));
const tables = step >= 2 ? { pets } : {};
export const { pets: kept } = tables as { pets?: typeof pets };
