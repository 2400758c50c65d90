"""By hand: a person restores with the provider's own tools; the worker only looks at what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from recoveries.ports import NewServer, Order, ProviderRefused, Restorable, Told
from rollbacks.adapters import target as targets
from rollbacks.adapters.target import Credentials
from rollbacks.ports import Evidence, TargetSettings


class Manual:
    """The new server is where the operator says: the worker's credentials named TARGET-recovered.

    An address that somebody typed on a page is never signed in to, because that would hand the target's password to it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def restorable(self, target: TargetSettings) -> Restorable:
        """Return no limits: only the provider's own pages know them."""
        return Restorable(note="Look up at the provider how far back it reaches; the portal cannot ask it.")

    def place(self) -> Credentials | None:
        """Return None: nothing that exists takes part."""
        return None

    def find(self, order: Order) -> NewServer | None:
        """Return None: what a person made is looked at once they say so."""
        return None

    def refuse_taken(self, order: Order) -> None:
        """Refuse nothing: the person sees at the provider whether the name is taken."""

    def make(self, order: Order, *, known: Evidence, told: Told) -> NewServer:
        """Return the server that the worker's environment leads to; raises ProviderRefused when it leads nowhere."""
        credentials = self.credentials(order, NewServer(order.server, ""))
        return NewServer(order.server, credentials.parameters.get("host", ""), {"made_by": "hand"})

    def credentials(self, order: Order, server: NewServer) -> Credentials:
        """Return TARGET_RECOVERED_DIRECT_DATABASE_URL, or the libpq service TARGET-recovered."""
        try:
            return targets.credentials_of(f"{order.target.name}-recovered", self._environ)
        except targets.NoCredentials as error:
            raise ProviderRefused(str(error)) from error
