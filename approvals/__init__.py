"""Sign-off: who must approve one digest under one frozen policy, and what their votes decide."""
