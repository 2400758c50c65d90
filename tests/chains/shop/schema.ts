// A web shop; STEP says how far its team has come. Every condition is one change that they deployed.
import { sql } from "drizzle-orm";
import {
  bigint, bigserial, boolean, check, customType, date, foreignKey, index, integer, jsonb, numeric, pgEnum, pgTable, primaryKey,
  serial, smallint, text, timestamp, unique, uniqueIndex, uuid, varchar,
} from "drizzle-orm/pg-core";

const step = Number(process.env.STEP);
const from = <T>(n: number, value: T) => (step >= n ? value : ({} as T));
const between = <T>(n: number, m: number, value: T) => (step >= n && step < m ? value : ({} as T));

export const orderState = pgEnum(step >= 9 ? "order_status" : "order_state",
  step >= 5 ? ["draft", "placed", "packed", "sent", "returned"] : step >= 3 ? ["draft", "placed", "sent", "returned"] : ["draft", "placed", "sent"]);

export const customers = pgTable("customers", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  ...(step >= 4 ? { emailAddress: varchar("email_address", { length: step >= 7 ? 320 : 120 }).notNull() } : { email: varchar({ length: 120 }).notNull() }),
  name: step >= 8 ? text().notNull() : text(),
  born: date(),
  ...from(2, { newsletter: boolean().default(false).notNull() }),
  ...from(6, { referrer: integer() }),
}, (t) => [
  unique("customers_email_key").on(("emailAddress" in t ? t.emailAddress : t.email) as never),
  ...(step >= 6 ? [foreignKey({ name: "customers_referrer_fk", columns: [t.referrer as never], foreignColumns: [t.id] }).onDelete("set null")] : []),
]);

export const products = pgTable(step >= 10 ? "articles" : "products", {
  id: serial().primaryKey(),
  sku: varchar({ length: 40 }).notNull(),
  title: text().notNull(),
  price: numeric({ precision: step >= 7 ? 12 : 8, scale: 2 }).notNull(),
  ...between(0, 11, { legacyCode: text("legacy_code") }),
  attributes: jsonb().default({}).notNull(),
  ...from(2, { weight: smallint().default(0) }),
}, (t) => [
  uniqueIndex("products_sku_idx").on(t.sku),
  check("products_price_positive", step >= 8 ? sql`${t.price} >= 0` : sql`${t.price} > 0`),
  ...(step >= 5 ? [index("products_attributes_idx").using("gin", t.attributes), index("products_title_idx").on(sql`lower(${t.title})`)] : []),
]);

export const orders = pgTable("orders", {
  id: uuid().primaryKey().defaultRandom(),
  customerId: integer("customer_id").notNull().references(() => customers.id, { onDelete: step >= 6 ? "restrict" : "cascade" }),
  state: orderState().default("draft").notNull(),
  placedAt: timestamp("placed_at", { withTimezone: true }).defaultNow().notNull(),
  ...from(3, { note: text() }),
}, (t) => [
  index("orders_customer_idx").on(t.customerId, t.placedAt.desc()),
  ...(step >= 3 ? [index("orders_open_idx").on(t.placedAt).where(sql`${t.state} <> 'sent'`)] : []),
]);

export const lines = pgTable("order_lines", {
  orderId: uuid("order_id").notNull().references(() => orders.id, { onDelete: "cascade" }),
  productId: integer("product_id").notNull().references(() => products.id),
  quantity: integer().default(1).notNull(),
}, (t) => [primaryKey({ columns: [t.orderId, t.productId] })]);

export const coupons = step >= 2 && step < 12 ? pgTable("coupons", {
  id: bigserial({ mode: "number" }).primaryKey(),
  code: text().notNull().unique(),
  percent: smallint().notNull(),
  customerId: integer("customer_id").references(() => customers.id, { onUpdate: "cascade" }),
}) : undefined;

export const returns = step >= 9 ? pgTable("returns", {
  id: bigint({ mode: "number" }).primaryKey().generatedByDefaultAsIdentity({ startWith: 1000, increment: 10 }),
  orderId: uuid("order_id").notNull(),
  productId: integer("product_id").notNull(),
  state: orderState().notNull(),
}, (t) => [
  foreignKey({ name: "returns_line_fk", columns: [t.orderId, t.productId], foreignColumns: [lines.orderId, lines.productId] }),
]) : undefined;
