// The schema as it was after 0002_rich_marten_broadcloak.
import { sql } from 'drizzle-orm';
import {
  bigint,
  char,
  check,
  date,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';

export const entityStatus = pgEnum('entity_status', ['active', 'suspended', 'archived']);
export const memberRole = pgEnum('member_role', ['owner', 'admin', 'member']);
export const membershipTier = pgEnum('membership_tier', ['basic', 'standard', 'premium']);

export const entities = pgTable('entities', {
  id: uuid('id').primaryKey().defaultRandom(),
  slug: text('slug').notNull().unique(),
  legalName: text('legal_name').notNull(),
  status: entityStatus('status').notNull().default('active'),
  country: char('country', { length: 2 }).notNull().default('CD'),
  settings: jsonb('settings').notNull().default({}),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  registrationNumber: text('registration_number').notNull().unique(),
});

export const members = pgTable(
  'members',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
    email: text('email').notNull(),
    displayName: text('display_name').notNull(),
    role: memberRole('role').notNull().default('member'),
    joinedAt: timestamp('joined_at', { withTimezone: true }).notNull().defaultNow(),
    phone: varchar('phone', { length: 32 }),
    locale: varchar('locale', { length: 8 }).notNull().default('fr'),
    tier: membershipTier('tier').notNull().default('basic'),
    givenName: text('given_name').notNull(),
    familyName: text('family_name'),
  },
  (t) => [
    unique('members_entity_email_unique').on(t.entityId, t.email),
    index('members_entity_id_idx').on(t.entityId),
    index('members_email_lower_idx').on(sql`lower(${t.email})`),
    check('members_email_has_at', sql`position('@' in ${t.email}) > 1`),
  ],
);

export const documents = pgTable(
  'documents',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
    uploadedBy: bigint('uploaded_by', { mode: 'number' }).references(() => members.id, {
      onDelete: 'set null',
    }),
    title: text('title').notNull(),
    sha256: char('sha256', { length: 64 }).notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('documents_entity_sha256_uidx').on(t.entityId, t.sha256),
    check('documents_size_positive', sql`${t.sizeBytes} > 0`),
  ],
);

export const subscriptions = pgTable(
  'subscriptions',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
    tier: membershipTier('tier').notNull(),
    amountCents: integer('amount_cents').notNull(),
    currency: char('currency', { length: 3 }).notNull().default('USD'),
    startsOn: date('starts_on').notNull(),
    endsOn: date('ends_on'),
  },
  (t) => [
    index('subscriptions_open_idx').on(t.entityId).where(sql`${t.endsOn} is null`),
    check('subscriptions_amount_not_negative', sql`${t.amountCents} >= 0`),
    check('subscriptions_period', sql`${t.endsOn} is null or ${t.endsOn} > ${t.startsOn}`),
  ],
);

export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id, { onDelete: 'restrict' }),
    actorMemberId: bigint('actor_member_id', { mode: 'number' }).references(() => members.id),
    action: text('action').notNull(),
    payload: jsonb('payload').notNull().default({}),
    occurredAt: timestamp('occurred_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    index('audit_events_entity_occurred_idx').on(t.entityId, t.occurredAt.desc()),
  ],
);
