"""Drizzle Kit, 0.x and 1.0, as it is on disk and in its ledger, in plain Python."""
