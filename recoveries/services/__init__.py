"""The use cases of recoveries; each writes its state and its fact in one transaction."""
