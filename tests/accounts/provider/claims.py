"""Claims of groups, read anew from a file that the test rewrites, as a directory would change them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter


class GroupAdapter(DefaultOIDCAdapter):
    """Say which groups somebody is in; a person whom the file does not name has no such claim at all."""

    def get_claims(self, purpose: Any, user: Any, client: Any, scopes: Any, **kwargs: Any) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_claims(purpose, user, client, scopes, **kwargs)
        groups = json.loads(Path(os.environ["PROVIDER_GROUPS"]).read_text())
        return {**claims, "groups": groups[user.username]} if user.username in groups else claims
