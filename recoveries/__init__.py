"""Recoveries: a database as it was at an earlier moment, on a new server, approved, verified and documented."""
