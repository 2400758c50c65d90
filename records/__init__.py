"""The trail and the sealed change records: what happened, kept so that a stranger can check it."""
