"""How a notice leaves the portal for the operator's own addresses."""
