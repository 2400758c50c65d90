"""Names that people could take for somebody else's, in plain Python."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# User names stand in the trail and in lists: one script, no capitals to tell apart, nothing invisible.
USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,149}")
# Letters of other scripts that look like a Latin one in common fonts (Unicode TR39, the ones on keyboards).
LOOK_ALIKES = str.maketrans("авеёзікмнорсстухһԁԛԝјѕɡαβγεικνορτυχωժհոօցս", "abeeзikmhopcctyxhdqwjsgabyeikvoptuxwdhnogu")


def look_of(name: str) -> str:
    """Return what the name looks like: without case, accents, spacing, invisible signs and foreign look-alikes."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(each for each in plain if unicodedata.category(each)[0] in "LN")
    return letters.translate(LOOK_ALIKES)


def fault_of_username(username: str) -> str:
    """Return why nobody may be called that, as a sentence; empty when they may."""
    if USERNAME.fullmatch(username):
        return ""
    return (
        "A user name has only the letters a-z, digits and . _ @ + -, and begins with a letter or digit; choose another."
    )


def twin_of(name: str, taken: Iterable[str]) -> str:
    """Return the taken name that this one could be mistaken for; empty when there is none."""
    look = look_of(name)
    return next((other for other in taken if look and look_of(other) == look), "")
