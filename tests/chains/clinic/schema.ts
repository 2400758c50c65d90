// A clinic with several tenants: a schema of its own, row security, policies, views, sequences.
import { eq, sql } from "drizzle-orm";
import {
  bigint, boolean, check, index, integer, pgMaterializedView, pgPolicy, pgRole, pgSchema, pgSequence, pgTable, pgView, text, time,
  timestamp, unique, uuid, varchar,
} from "drizzle-orm/pg-core";

const step = Number(process.env.STEP);
const from = <T>(n: number, value: T) => (step >= n ? value : ({} as T));

export const care = pgSchema("care");
export const archive = step >= 8 ? pgSchema("Old Files") : undefined;
export const severity = care.enum("severity", step >= 4 ? ["low", "medium", "high", "critical"] : ["low", "high"]);
export const fileNumbers = pgSequence("file_numbers", { startWith: 1000, increment: step >= 5 ? 10 : 1, ...(step >= 5 ? { maxValue: 9000000, cache: 5 } : {}) });
export const rooms = step >= 3 && step < 9 ? care.sequence("rooms", { startWith: 1, cycle: true, maxValue: 99 }) : undefined;

const tenantIs = sql`tenant_id = current_setting('clinic.tenant', true)::uuid`;

export const tenants = care.table("tenants", {
  id: uuid().primaryKey().defaultRandom(),
  name: text().notNull().unique(),
});

export const patients = care.table("patients", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id),
  fileNumber: integer("file_number").default(sql`nextval('file_numbers'::regclass)`).notNull(),
  givenName: text("given_name").notNull(),
  familyName: text("family_name").notNull(),
  ...from(2, { fullName: text("full_name").generatedAlwaysAs(sql`given_name || ' ' || family_name`) }),
  ...from(6, { allergies: text().array().default(sql`'{}'::text[]`).notNull() }),
}, (t) => [
  unique("patients_file").on(t.tenantId, t.fileNumber),
  ...(step >= 1 ? [pgPolicy("patients_of_tenant", { for: step >= 7 ? "select" : "all", to: "public", using: tenantIs })] : []),
  ...(step >= 7 ? [pgPolicy("patients_insert", { for: "insert", as: "restrictive", withCheck: tenantIs })] : []),
]);

export const visits = care.table("visits", {
  id: uuid().primaryKey().defaultRandom(),
  patientId: bigint("patient_id", { mode: "number" }).notNull().references(() => patients.id, { onDelete: "cascade" }),
  at: timestamp({ withTimezone: true, precision: step >= 10 ? 0 : 3 }).defaultNow().notNull(),
  opens: time(),
  severity: severity().default("low").notNull(),
  ...from(4, { closed: boolean().default(false).notNull() }),
}, (t) => [
  index("visits_patient_idx").on(t.patientId, t.at),
  ...(step >= 6 ? [check("visits_closed_when_low", sql`NOT (${t.severity} = 'critical' AND ${t.closed})`)] : []),
]);

export const openVisits = step >= 3 ? care.view("open_visits").as((qb) => step >= 4
  ? qb.select({ id: visits.id, patientId: visits.patientId, severity: visits.severity }).from(visits).where(eq(visits.closed as never, false as never))
  : qb.select({ id: visits.id, patientId: visits.patientId, severity: visits.severity }).from(visits)) : undefined;

export const perTenant = step >= 5 && step < 11 ? care.materializedView("visits_per_tenant").as((qb) =>
  qb.select({ tenantId: patients.tenantId, visits: sql<number>`count(*)`.as("visits") }).from(visits)
    .innerJoin(patients, eq(patients.id, visits.patientId)).groupBy(patients.tenantId)) : undefined;

export const oldFiles = step >= 8 ? archive!.table("Paper files", {
  id: integer("File No").primaryKey(),
  shelf: varchar("Shelf %", { length: 20 }).default("unsorted"),
}) : undefined;

export const audit = step >= 9 ? pgTable("access_log", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity({ name: "access_log_no", startWith: 500 }),
  patientId: bigint("patient_id", { mode: "number" }),
  what: text().notNull(),
}).enableRLS() : undefined;
