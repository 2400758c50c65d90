"""The target's database: finding its credentials, connecting directly, and knowing which database it is."""

from __future__ import annotations

import configparser
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rollbacks.adapters.server_errors import one_sentence, rejected
from rollbacks.plan import TargetIdentity

Connection = psycopg.Connection[tuple[Any, ...]]

# Of libpq's 48 keywords only these say where a database is; others read files, fetch URLs or change settings.
ALLOWED = {"host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "connect_timeout"}
CONNECT_SECONDS = 10
# The server's side of the keepalives: without them a backend keeps its locks for hours after its client's host is gone.
SERVER_KEEPALIVES = """
    SET standard_conforming_strings = on; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3; SET tcp_user_timeout = '30s'"""
ENVIRONMENT = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


class NoCredentials(Exception):
    """The worker has no credentials for the target, or they are not of the form that is allowed."""


class Unreachable(Exception):
    """The target could not be connected to."""


class Rejected(Unreachable):
    """The server refuses this sign-in, and will again: password, role, database, certificate or pg_hba.conf."""


class Pooled(Exception):
    """There is a pooler between the worker and the target; DDL needs the direct URL."""


class Standby(Exception):
    """The server is a standby and cannot be changed."""


class NotPrivileged(Exception):
    """The worker's role may not do what a rollback needs, or may do what no rollback should."""


class OtherDatabase(Exception):
    """What answers is not the database that the plan was signed for."""


REFUSALS = (NoCredentials, Unreachable, Pooled, Standby, NotPrivileged, OtherDatabase)


@dataclass(frozen=True)
class Credentials:
    """Where a target's database is and how to sign in; never printed."""

    name: str
    parameters: Mapping[str, str] = field(repr=False)

    def __str__(self) -> str:
        return f"credentials of {self.name}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the values that must not appear in any text, in every form in which they could."""
        password = self.parameters.get("password", "")
        return tuple({password, quote(password, safe=""), quote(password)} - {""})

    def conninfo(self, **extra: Any) -> str:
        """Return the libpq connection string; it holds the password, so it goes to libpq and nowhere else."""
        return make_conninfo(**{**self.parameters, **extra})

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for pg_dump and pg_restore: nothing of a connection is ever in argv."""
        kept = {name: environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in environ}
        named = {ENVIRONMENT[name]: value for name, value in self.parameters.items()}
        return {**kept, "LC_ALL": "C.UTF-8", "PGAPPNAME": "rollback-portal", **named}


@dataclass(frozen=True)
class Identity:
    """Which database a connection leads to; `server_version` is the server's own text."""

    system_identifier: str
    database: str
    database_oid: int
    server_version: str
    major: int
    user: str


def variable_of(target: str, what: str) -> str:
    """Return the name of the worker's variable that says this of the target: `shop-eu` has SHOP_EU_…"""
    return f"{target.upper().replace('-', '_')}_{what}"


def credentials_of(name: str, environ: Mapping[str, str]) -> Credentials:
    """Return the credentials of a target: NAME_DIRECT_DATABASE_URL, its _FILE, or the libpq service of that name.

    Raises NoCredentials when there are none or when the URL asks for more than a place and a sign-in.
    """
    variable = variable_of(name, "DIRECT_DATABASE_URL")
    url = environ.get(variable, "")
    if not url and environ.get(f"{variable}_FILE"):
        url = Path(environ[f"{variable}_FILE"]).read_text().strip()
    if url:
        return credentials_from_url(name, url, source=variable)
    section = _service(name, environ.get("PGSERVICEFILE", ""))
    if section is not None:
        return Credentials(name, _checked(section, f"the service {name}"))
    raise NoCredentials(
        f"The worker has no credentials for {name}; set {variable}, or add a service {name} to its PGSERVICEFILE."
    )


def credentials_from_url(name: str, url: str, *, source: str) -> Credentials:
    """Return the credentials that a URL holds; `source` names the variable in the sentence of NoCredentials."""
    return Credentials(name, _checked(_parse(url, source), source))


def connect(
    credentials: Credentials, *, application_name: str = "rollback-portal", autocommit: bool = False
) -> Connection:
    """Return a connection with keepalives on both sides and the server's default search path.

    client_connection_check_interval makes the server notice within seconds that this worker died, instead of
    finishing its statement first (acceptance E2); its own keepalives, within half a minute that this host vanished
    without a word (F36). Raises Unreachable, or Rejected where trying again is of no use.
    """
    try:
        connection = psycopg.connect(
            credentials.conninfo(
                application_name=application_name,
                connect_timeout=credentials.parameters.get("connect_timeout", CONNECT_SECONDS),
                keepalives=1, keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
                tcp_user_timeout=30_000, client_encoding="UTF8",
            ),
            autocommit=True,
        )  # fmt: skip
        connection.prepare_threshold = None
        if connection.info.server_version >= 140_000:
            connection.execute("SET client_connection_check_interval = '2s'")
        connection.execute(SERVER_KEEPALIVES)
        connection.autocommit = autocommit
    except psycopg.Error as error:
        why = redact(one_sentence(error), credentials)
        if rejected(error):
            raise Rejected(
                f"The database of {credentials.name} does not let the worker in: {why} Correct the worker's direct URL "
                "or the server's settings, then start again."
            ) from None
        raise Unreachable(f"The database of {credentials.name} cannot be reached: {why}") from None
    return connection


def identity(connection: Connection) -> Identity:
    """Return which database this is, as the server says; the same cluster restored elsewhere is told apart by its oid."""
    row = connection.execute(
        "SELECT c.system_identifier::text, d.datname::text, d.oid::bigint, "
        "       pg_catalog.current_setting('server_version'), "
        "       pg_catalog.current_setting('server_version_num')::int, current_user::text "
        "  FROM pg_catalog.pg_control_system() c, pg_catalog.pg_database d "
        " WHERE d.datname = pg_catalog.current_database()"
    ).fetchone()
    if row is None:
        raise Unreachable("The server did not say which database this is.")
    system, database, oid, version, number, user = row
    return Identity(system, database, oid, version.split()[0], number // 10_000, user)


def refuse_other_database(connection: Connection, signed: TargetIdentity) -> None:
    """Raise OtherDatabase unless this is the very database that was signed for (acceptance F10)."""
    found = identity(connection)
    if (found.system_identifier, found.database, found.database_oid) == (
        signed.system_identifier, signed.database, signed.database_oid,
    ):  # fmt: skip
        return
    raise OtherDatabase(
        f"What answers at the direct URL of {signed.name} is not the database that was signed for: its name or system "
        "identifier differs. Check the worker's direct URL, then submit the request again."
    )


def timeline(connection: Connection) -> str:
    """Return the server's timeline, eight hexadecimal digits: a promoted standby has another than its old primary had.

    Empty where the server keeps it to itself, as services without a log of their own do.
    """
    try:
        with connection.transaction():
            row = connection.execute(
                "SELECT pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)"
            ).fetchone()
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege):
        return ""
    return str(row[0]) if row else ""


def refuse_pooler(credentials: Credentials) -> None:
    """Raise Pooled when what answers is not a PostgreSQL backend of our own.

    A pooler hands out another backend than the one the protocol named, loses session settings, or keeps
    a session's advisory lock after the session has gone (acceptance E6).
    """
    connection = connect(credentials)
    try:
        connection.autocommit = True
        row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        own_backend = row is not None and row[0] == connection.info.backend_pid
        connection.execute("SET lock_timeout = '4321ms'")
        read = connection.execute("SHOW lock_timeout").fetchone()
        keeps_settings = read is not None and read[0] == "4321ms"
    except psycopg.Error as error:
        raise Unreachable(redact(one_sentence(error), credentials)) from None
    finally:
        connection.close()
    if not (own_backend and keeps_settings):
        raise Pooled(
            f"Between the worker and {credentials.name} is a connection pooler; set the direct URL "
            "(DIRECT_DATABASE_URL of the runbook), because DDL cannot go through one."
        )


def refuse_standby(connection: Connection) -> None:
    """Raise Standby when the server is in recovery or read-only."""
    row = connection.execute(
        "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('default_transaction_read_only')::bool"
    ).fetchone()
    if row is None or row[0]:
        raise Standby("The target is a standby or read-only; point the direct URL at the primary.")


def database_bytes(connection: Connection) -> int:
    """Return the size of the database in bytes."""
    row = connection.execute("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").fetchone()
    return int(row[0]) if row else 0


def target_lock_key(identity: str) -> int:
    """Return the advisory lock's key for a target: the same for every worker that names the same database."""
    return int.from_bytes(hashlib.sha256(f"rollback-portal:{identity}".encode()).digest()[:8], signed=True)


def wait_target_lock(connection: Connection, key: int, seconds: float) -> bool:
    """Take the transaction-level lock within so many seconds; False when another session keeps it.

    Transaction-level, because reverse SQL could release a session's lock with pg_advisory_unlock_all().
    """
    deadline = time.monotonic() + seconds
    while True:
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s)", [key]).fetchone()
        if row is not None and row[0]:
            return True
        connection.rollback()
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def redact(text: str, credentials: Credentials) -> str:
    """Return the text without any form of the password: by value, because patterns miss malformed URLs."""
    for secret in credentials.secrets:
        text = text.replace(secret, "…")
    return text


def _parse(url: str, variable: str) -> dict[str, str]:
    try:
        parts = urlsplit(url)
        parsed = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except (ValueError, psycopg.ProgrammingError):
        # libpq's own message repeats the URL, password and all.
        raise NoCredentials(
            f"{variable} is not a PostgreSQL URL; write postgresql://user:password@host/database."
        ) from None
    if parts.scheme not in {"postgresql", "postgres"} or not unquote(parts.path.strip("/")):
        raise NoCredentials(
            f"{variable} is not a PostgreSQL URL with a database; write postgresql://user@host/database."
        )
    return parsed


def _service(name: str, path: str) -> dict[str, str] | None:
    if not path or not os.path.exists(path):
        return None
    reader = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    try:
        reader.read(path)
    except configparser.Error:
        raise NoCredentials("The worker's PGSERVICEFILE cannot be read as a service file; correct it.") from None
    return dict(reader[name]) if reader.has_section(name) else None


def _checked(parameters: dict[str, str], source: str) -> dict[str, str]:
    strange = sorted(set(parameters) - ALLOWED)
    if strange:
        raise NoCredentials(
            f"{source} sets {', '.join(strange)}, which is not allowed; only {', '.join(sorted(ALLOWED))} are."
        )
    database = parameters.get("dbname", "")
    if not database or "=" in database or "://" in database or "," in parameters.get("host", ""):
        raise NoCredentials(f"{source} must name exactly one host and one database.")
    return parameters
