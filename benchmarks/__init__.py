"""Measurements against the way it is done by hand; ratios in one run, never a test."""
