"""The demo: the nzila monorepo, its target database, the reverse SQL of its migrations, and the organisation."""
