"""Who owns files by a CODEOWNERS file, with GitHub's meaning of it."""

from __future__ import annotations

from collections.abc import Iterable

from codeowners import CodeOwners, parse_owner

# The first of these that exists at the base branch is the one that GitHub reads.
PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
ESCAPED_SPACE = "\\ "


def owners_of(codeowners_text: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the owners of these paths (relative to the repository), each once, in the order in which they come up.

    The last matching line of a file counts, and one without owners takes the path out. As on GitHub, a line that
    it does not accept is as if it were not there: `!`, `[ ]`, an escaped `#`, an owner that is neither a team, a user
    nor an address. Sections (GitLab) have no meaning. An empty text owns nothing.
    """
    accepted = "\n".join(filter(None, map(_accepted, codeowners_text.splitlines())))
    owners = CodeOwners(accepted)
    return tuple(dict.fromkeys(name for path in paths for _kind, name in owners.of(path)))


def _accepted(line: str) -> str:
    """Return the line without its comment, or nothing when GitHub would not accept it."""
    words = line.replace(ESCAPED_SPACE, "\0").split()
    comment = next((position for position, word in enumerate(words) if word.startswith("#")), len(words))
    pattern, owners = (words[:1] or [""])[0], words[1:comment]
    if not pattern or pattern[0] in "#!" or "[" in pattern or pattern.startswith("\\#"):
        return ""
    if any(parse_owner(owner) is None for owner in owners):
        return ""
    return " ".join([pattern.replace("\0", ESCAPED_SPACE), *owners])
