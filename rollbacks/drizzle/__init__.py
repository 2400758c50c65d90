"""Drizzle Kit 0.x as it is on disk and in its ledger, in plain Python."""
