"""Azure Database for PostgreSQL flexible server: Azure restores to a new server, the worker asks for it and waits.

For the target `nzila`: NZILA_AZURE_SERVER is `resource-group/server`; AZURE_SUBSCRIPTION_ID and what azure-identity reads
(AZURE_TENANT_ID, AZURE_CLIENT_ID, a secret or a managed identity) belong to the worker. The packages are an extra
(requirements-azure.lock). A PUT on a server that exists would change it, so the name is looked up first; what was asked
for carries the order's token as a tag, and the operation's address is kept before anything is waited for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from recoveries.ports import NewServer, Order, ProviderInterrupted, ProviderRefused, Restorable, Told
from rollbacks.adapters import target as targets
from rollbacks.adapters.target import Credentials
from rollbacks.ports import Evidence, TargetSettings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient

MANAGEMENT = "https://management.azure.com"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
TAG = "rollback-portal-recovery"
OPERATION = "operation"
PLACE = re.compile(r"[\w.()-]{1,90}/[a-z0-9-]{3,63}")
# Azure backs WAL up within five minutes, and restores nothing later than that.
BEHIND = timedelta(minutes=5)
POLL_SECONDS, LONGEST_POLL = 15.0, 60.0
SLICE_SECONDS = 2.0
COMING = {"provisioning", "updating", "starting", "restarting", ""}


class Azure:
    """A subscription that the worker may restore in."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._base = environ.get("AZURE_RESOURCE_MANAGER", MANAGEMENT).rstrip("/")

    def restorable(self, target: TargetSettings) -> Restorable:
        """Return from when Azure keeps backups of the target's server up to five minutes ago."""
        found = self._look(*self._place_of(target))
        if found is None:
            raise ProviderRefused(
                f"Azure has no server {'/'.join(self._place_of(target))}; correct {targets.variable_of(target.name, 'AZURE_SERVER')}."
            )
        earliest = found["properties"].get("backup", {}).get("earliestRestoreDate")
        if not earliest:
            raise ProviderRefused("Azure keeps no backup of the server yet, so nothing can be restored.")
        latest = datetime.now(UTC).replace(microsecond=0) - BEHIND
        return Restorable(datetime.fromisoformat(earliest), latest, "Azure restores to a new server of the same size.")

    def place(self) -> Credentials | None:
        """Return None: nothing that exists takes part."""
        return None

    def find(self, order: Order) -> NewServer | None:
        """Return the server when it carries this order's tag and is ready."""
        found = self._look(self._place_of(order.target)[0], order.server)
        return _made(found) if _is_ours(found, order) and _state(found) == "ready" else None

    def refuse_taken(self, order: Order) -> None:
        """Raise ProviderRefused when a server of that name exists without this order's tag."""
        found = self._look(self._place_of(order.target)[0], order.server)
        if found is not None and not _is_ours(found, order):
            raise ProviderRefused(f"There is a server named {order.server} in Azure already; choose another name.")

    def make(self, order: Order, *, known: Evidence, told: Told) -> NewServer:
        """Ask Azure for the restore, unless it was asked, and wait for the server that carries this order's tag."""
        if order.point is None:
            raise ProviderRefused("Azure restores to a moment, and none was chosen.")
        operation = str(known.get(OPERATION, ""))
        if not operation:
            self.refuse_taken(order)
            if self._look(self._place_of(order.target)[0], order.server) is None:
                operation = self._ask(order)
        told({"doing": "Azure makes the new server", OPERATION: operation})
        if operation:
            self._wait(operation, told)
        return self._wait_ready(order, told)

    def credentials(self, order: Order, server: NewServer) -> Credentials:
        """Return the target's own sign-in at the host that Azure named: a restored server has the same roles."""
        try:
            own = targets.credentials_of(order.target.name, self._environ).parameters
        except targets.NoCredentials as error:
            raise ProviderRefused(str(error)) from error
        return Credentials(f"{order.target.name}-recovered", {**own, "host": server.host})

    def _ask(self, order: Order) -> str:
        """Ask for the restore and return the operation's address; empty when Azure named none that can be trusted."""
        group, source = self._place_of(order.target)
        origin = self._look(group, source)
        if origin is None or order.point is None:
            raise ProviderRefused(
                f"Azure has no server {group}/{source}; correct {targets.variable_of(order.target.name, 'AZURE_SERVER')}."
            )
        # Azure includes the moment itself; what is signed is what lies before it.
        point = (order.point - timedelta(milliseconds=1)).astimezone(UTC)
        body: Any = {
            "location": origin["location"],
            "tags": {TAG: order.token},
            "properties": {
                "createMode": "PointInTimeRestore",
                "sourceServerResourceId": origin["id"],
                "pointInTimeUTC": point.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
        }
        headers: dict[str, str] = {}
        with self._client() as client, _said():
            client.servers.begin_create_or_update(
                group, order.server, body, polling=False, **self._options(),
                raw_response_hook=lambda answer: headers.update(answer.http_response.headers),
            )  # fmt: skip
        named = {name.lower(): value for name, value in headers.items()}
        operation = named.get("azure-asyncoperation", "") or named.get("location", "")
        # The bearer token goes to whatever address this is.
        return operation if urlsplit(operation)[:2] == urlsplit(self._base)[:2] else ""

    def _wait(self, operation: str, told: Told) -> None:
        """Wait until the operation has ended; raises ProviderRefused with what Azure said when it failed."""
        while True:
            code, answer, pause = self._poll(operation)
            if code == 404:
                # Operations are forgotten after a while; the server itself then says how it stands.
                return
            status = str(answer.get("status", "InProgress" if code == 202 else "Succeeded")).lower()
            if status == "succeeded":
                return
            if status in {"failed", "canceled", "cancelled"}:
                said = (answer.get("error") or {}).get("message") or status
                # Another attempt has to ask anew instead of finding the same failure for ever.
                told({"doing": "Azure refused", OPERATION: ""})
                raise ProviderRefused(f"Azure did not make the server: {' '.join(str(said).split())[:400]}")
            self._pause(pause, told, operation)

    def _wait_ready(self, order: Order, told: Told) -> NewServer:
        group = self._place_of(order.target)[0]
        while True:
            found = self._look(group, order.server)
            if found is None:
                raise ProviderInterrupted(f"Azure has ended the operation and shows no server {order.server} yet.")
            if not _is_ours(found, order):
                raise ProviderRefused(
                    f"The server {order.server} in Azure is not the one that was asked for; look at it."
                )
            if _state(found) == "ready":
                return _made(found)
            if _state(found) not in COMING:
                raise ProviderRefused(f"The server {order.server} in Azure is {_state(found)}; look at it there.")
            self._pause(POLL_SECONDS, told, "")

    def _pause(self, seconds: float, told: Told, operation: str) -> None:
        """Wait as long as Azure asks for, in slices, so that a lost lease ends it soon."""
        end = time.monotonic() + min(seconds, LONGEST_POLL)
        while True:
            told({"doing": "Azure makes the new server", OPERATION: operation})
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, SLICE_SECONDS))

    def _poll(self, operation: str) -> tuple[int, dict[str, Any], float]:
        with self._client() as client, _said():
            from azure.core.rest import HttpRequest

            response = client.send_request(HttpRequest("GET", operation), **self._options())
            response.read()
        if response.status_code not in {200, 201, 202, 204, 404}:
            raise ProviderInterrupted(f"Azure answered {response.status_code} when it was asked how the restore goes.")
        pause = response.headers.get("Retry-After", "")
        content = response.json() if response.content else {}
        found = content if isinstance(content, dict) else {}
        return response.status_code, found, float(pause) if pause.isdecimal() else POLL_SECONDS

    def _look(self, group: str, server: str) -> dict[str, Any] | None:
        """Return the server as Azure describes it, or None when there is none of that name."""
        with self._client() as client, _said():
            from azure.core.exceptions import ResourceNotFoundError

            try:
                return dict(client.servers.get(group, server, **self._options()).as_dict())
            except ResourceNotFoundError:
                return None

    @contextmanager
    def _client(self) -> Iterator[PostgreSQLManagementClient]:
        try:
            from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient
        except ImportError as error:
            raise ProviderRefused("The worker has no Azure packages; install requirements-azure.lock.") from error
        subscription = self._environ.get("AZURE_SUBSCRIPTION_ID", "")
        if not subscription:
            raise ProviderRefused("AZURE_SUBSCRIPTION_ID is not set on the worker.")
        with PostgreSQLManagementClient(
            credential_of(self._environ), subscription, self._base, retry_total=4, retry_backoff_factor=0.2,
            connection_timeout=10, read_timeout=60, credential_scopes=[f"{MANAGEMENT}/.default"],
        ) as client:  # fmt: skip
            yield client

    def _options(self) -> dict[str, Any]:
        """A token goes over TLS only, but for a service on this machine."""
        return {"enforce_https": urlsplit(self._base).hostname not in LOOPBACK}

    def _place_of(self, target: TargetSettings) -> tuple[str, str]:
        given = self._environ.get(targets.variable_of(target.name, "AZURE_SERVER"), "")
        if not PLACE.fullmatch(given):
            raise ProviderRefused(
                f"{targets.variable_of(target.name, 'AZURE_SERVER')} is not set to resource-group/server on the worker."
            )
        group, _slash, server = given.partition("/")
        return group, server


def credential_of(environ: Mapping[str, str]) -> TokenCredential:
    """Return what azure-identity finds in the worker's environment; no browser and nobody's own sign-in is asked."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(
        exclude_interactive_browser_credential=True, exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
    )  # fmt: skip


@contextmanager
def _said() -> Iterator[None]:
    """Turn Azure's refusals and silences into sentences."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        raise ProviderRefused("Azure does not accept the worker's sign-in; look at its AZURE_… variables.") from error
    except HttpResponseError as error:
        said = " ".join(str(error.message).split())[:400]
        if error.status_code is None or error.status_code >= 500 or error.status_code in {408, 409, 429}:
            raise ProviderInterrupted(f"Azure could not do it now ({error.status_code}): {said}") from error
        raise ProviderRefused(f"Azure refused ({error.status_code}): {said}") from error
    except AzureError as error:
        raise ProviderInterrupted(f"Azure cannot be reached ({type(error).__name__}).") from error


def _is_ours(found: dict[str, Any] | None, order: Order) -> bool:
    return found is not None and (found.get("tags") or {}).get(TAG) == order.token


def _state(found: dict[str, Any] | None) -> str:
    return str((found or {}).get("properties", {}).get("state") or "").lower()


def _made(found: dict[str, Any] | None) -> NewServer:
    content = found or {}
    host = str(content["properties"]["fullyQualifiedDomainName"])
    return NewServer(str(content["name"]), host, {"resource": content.get("id", "")})
