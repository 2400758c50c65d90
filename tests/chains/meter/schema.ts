// Metering: many rows, generated columns, changes of type, indexes built without stopping anybody.
import { sql } from "drizzle-orm";
import {
  bigint, bigserial, boolean, check, date, doublePrecision, foreignKey, index, inet, integer, interval, numeric, pgEnum, pgMaterializedView, pgTable,
  pgView, primaryKey, real, serial, smallint, text, timestamp, unique, uniqueIndex, varchar,
} from "drizzle-orm/pg-core";

const step = Number(process.env.STEP);
const from = <T>(n: number, value: T) => (step >= n ? value : ({} as T));
const until = <T>(n: number, value: T) => (step < n ? value : ({} as T));

export const unit = step >= 4 ? pgEnum("unit", ["kWh", "m3", "l"]) : undefined;

export const meters = pgTable("meters", {
  id: serial().primaryKey(),
  serialNo: varchar("serial_no", { length: 32 }).notNull(),
  ...(step >= 4 ? { unit: unit!().default("kWh").notNull() } : {}),
  installed: step >= 6 ? timestamp({ withTimezone: true }) : date(),
  active: step >= 2 ? boolean().default(true).notNull() : boolean().default(true),
  address: inet(),
  ...from(5, { parentId: integer("parent_id") }),
  pause: interval().default("1 day"),
}, (t) => [
  step >= 7 ? unique("meters_serial_key").on(t.serialNo).nullsNotDistinct() : unique("meters_serial_key").on(t.serialNo),
  ...(step >= 5 ? [foreignKey({ name: "meters_parent_fk", columns: [t.parentId as never], foreignColumns: [t.id] }).onDelete("cascade").onUpdate("cascade")] : []),
]);

export const readings = pgTable("readings", {
  meterId: integer("meter_id").notNull().references(() => meters.id),
  at: timestamp({ withTimezone: true }).notNull(),
  value: step >= 3 ? numeric({ precision: 20, scale: 6 }).notNull() : doublePrecision().notNull(),
  count: step >= 3 ? bigint({ mode: "number" }).default(0).notNull() : integer().default(0).notNull(),
  ...from(1, { year: integer().generatedAlwaysAs(sql`extract(year from (at at time zone 'UTC'))::integer`) }),
  ...until(9, { quality: smallint() }),
}, (t) => [
  primaryKey({ name: "readings_pk", columns: [t.meterId, t.at] }),
  check("readings_value", step >= 8 ? sql`value >= -1000` : sql`value >= 0`),
  ...(step >= 2 ? [index("readings_at_idx").on(t.at.desc().nullsLast())] : []),
  ...(step >= 6 ? [index("readings_year_idx").on(t.year as never).concurrently()] : []),
]);

export const latest = step >= 5 ? pgView("latest", { meterId: integer("meter_id"), at: timestamp({ withTimezone: true }) })
  .as(sql`select meter_id, max(at) as at from readings group by meter_id`) : undefined;
export const yearly = step >= 7 ? pgMaterializedView("yearly", { meterId: integer("meter_id"), year: integer(), total: numeric() })
  .as(sql`select meter_id, year, sum(value) as total from readings group by meter_id, year`) : undefined;

export const imports = step >= 2 ? pgTable("imports", {
  id: step >= 10 ? integer().primaryKey().generatedAlwaysAsIdentity() : integer().primaryKey(),
  name: text().notNull(),
  size: step >= 8 ? integer() : real(),
  ...(step >= 8 ? { kind: text().default("csv").notNull() } : { kind: text() }),
}, (t) => [...(step >= 8 ? [uniqueIndex("imports_name_idx").on(sql`lower(name)`, t.kind)] : [])]) : undefined;
