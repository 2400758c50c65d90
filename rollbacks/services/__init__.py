"""The use cases: each opens one transaction, locks in one order (request, case, trail) and records its facts."""
