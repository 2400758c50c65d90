DO $$
BEGIN
  UPDATE care.visits SET severity = 'medium' WHERE severity = 'high' AND NOT closed;
END
$$;
