"""Rollback requests: from the wish to a return point to the sealed change record."""
