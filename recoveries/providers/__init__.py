"""The providers, one class for each kind; a new one is a class and a line here and in recoveries.kinds."""

from __future__ import annotations

from collections.abc import Mapping

from recoveries import kinds
from recoveries.ports import Provider
from recoveries.providers.azure import Azure
from recoveries.providers.backup import KeptBackup
from recoveries.providers.manual import Manual
from recoveries.providers.self_managed import SelfManaged

PROVIDERS: Mapping[str, type[SelfManaged] | type[Azure] | type[KeptBackup] | type[Manual]] = {
    kinds.SELF_MANAGED: SelfManaged,
    kinds.AZURE: Azure,
    kinds.BACKUP: KeptBackup,
    kinds.MANUAL: Manual,
}


def provider_of(kind: str, environ: Mapping[str, str]) -> Provider:
    """Return the provider of this kind with the worker's environment."""
    return PROVIDERS[kind](environ)
