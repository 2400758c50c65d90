"""What SQL says and what a catalog holds: parse, assess, compare. Plain Python, usable without the portal."""
