-- after: 0000
INSERT INTO care.tenants (name) VALUES ('North'), ('South');
INSERT INTO care.patients (tenant_id, given_name, family_name) SELECT t.id, 'Given ' || n, 'Family ' || n FROM care.tenants t, generate_series(1, 8) n;
INSERT INTO care.visits (patient_id, severity, opens, at) SELECT id, CASE WHEN id % 2 = 0 THEN 'high' ELSE 'low' END::care.severity, TIME '08:30', TIMESTAMPTZ '2026-01-01 10:00:00.125Z' + id * INTERVAL '1 hour' FROM care.patients;
-- after: 0004
UPDATE care.visits SET closed = true WHERE patient_id % 3 = 0;
UPDATE care.visits SET severity = 'medium' WHERE patient_id % 5 = 0;
-- after: 0006
UPDATE care.patients SET allergies = ARRAY['nuts', 'a "quoted" one'] WHERE id % 4 = 0;
-- after: 0008
INSERT INTO "Old Files"."Paper files" VALUES (1, 'A'), (2, NULL), (3, DEFAULT);
-- after: 0009
INSERT INTO access_log (patient_id, what) SELECT id, 'read' FROM care.patients;
