"""What other apps' templates show of notices, so that no module of theirs has to import this one."""
