"""How the use cases of people say no."""

from __future__ import annotations


class NotAllowed(Exception):
    """The person may not do this at all; the sentence says who may."""


class Refused(Exception):
    """This cannot be done now; the sentence says why and what to do next."""
