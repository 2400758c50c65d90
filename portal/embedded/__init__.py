"""PostgreSQL and Valkey from the dev dependencies, for the demo and the tests; production never imports this.

Standard library only. Two clusters, because a proof never runs in a target's own cluster: `portal` holds the
portal's database and the demo targets, `scratch` is the scratch server.
"""
