DROP TRIGGER IF EXISTS audit_events_no_update ON "audit_events";
DROP TRIGGER IF EXISTS audit_events_no_delete ON "audit_events";
DROP FUNCTION IF EXISTS prevent_audit_mutation();
