"""The outside world behind narrow doors: target, scratch server, PostgreSQL tools, store, repository. No ORM."""
