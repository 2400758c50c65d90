"""Encrypted backups: nothing is kept in plain, every damage is found, and lost or changed keys stop the run (F22, F24)."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbacks.adapters.store import Store, StoreRefused
from tests.targets.backups import files, identity, kept, read

CANARY = b"can4ry: a row of the target"
DUMP = CANARY + random.Random(7).randbytes(300_000) + CANARY
CORRUPTIONS = 120


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A worker's environment with a directory, and an identity that is a recipient."""
    (tmp_path / "keys").mkdir()
    return {"BACKUP_DIR": str(tmp_path / "backups"), **identity(tmp_path / "keys")[2]}


def test_an_encrypted_backup_is_on_no_disk_in_plain_and_its_manifest_says_for_whom(environ: dict[str, str]) -> None:
    store = Store.of(environ, "shop")
    manifest = kept(store, DUMP)
    found = files(environ)
    assert sorted(found) == ["backup-20261103-040506.dump.age", "execution-7.manifest.json"]
    assert not any(CANARY in content for content in found.values())
    assert manifest.recipients == (environ["BACKUP_RECIPIENTS"],)
    assert (manifest.sha256, manifest.size) == (
        hashlib.sha256(found[manifest.name]).hexdigest(),
        len(found[manifest.name]),
    )
    assert (manifest.plain_sha256, manifest.plain_size) == (hashlib.sha256(DUMP).hexdigest(), len(DUMP))
    assert store.find("execution-7") == manifest
    store.verify(manifest)
    assert read(store, manifest) == DUMP


class Breaking:
    """A dump that breaks off after some bytes, as when pg_dump dies, the lease is lost or somebody cancels."""

    def __init__(self, error: BaseException) -> None:
        self._error, self._left = error, 20

    def read(self, size: int = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise self._error
        return (CANARY * 4000)[:size]


@pytest.mark.parametrize("error", [RuntimeError("lease lost"), KeyboardInterrupt()])
def test_a_dump_that_breaks_off_leaves_nothing_and_raises_what_it_raised(
    environ: dict[str, str], error: BaseException
) -> None:
    with pytest.raises(type(error)) as raised:
        kept(Store.of(environ, "shop"), Breaking(error))
    assert raised.value is error
    assert files(environ) == {}


def test_every_damage_to_an_encrypted_backup_is_found_before_and_while_it_is_opened(environ: dict[str, str]) -> None:
    store = Store.of(environ, "shop")
    manifest = kept(store, DUMP)
    path = Path(environ["BACKUP_DIR"]) / manifest.name
    whole, chance = path.read_bytes(), random.Random(11)
    for number in range(CORRUPTIONS):
        damaged = bytearray(whole)
        if number % 3 == 0:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        elif number % 3 == 1:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged += chance.randbytes(chance.randrange(1, 64))
        path.write_bytes(damaged)
        with pytest.raises(StoreRefused, match="checksum differs"):
            store.verify(manifest)
        with pytest.raises(StoreRefused, match="checksum differs"):
            read(store, manifest)


def test_what_was_encrypted_instead_of_the_dump_is_found(environ: dict[str, str]) -> None:
    """Whoever may write to the store knows the public keys and could encrypt something else; the record has the sums."""
    store = Store.of(environ, "shop")
    manifest = kept(store, DUMP)
    other = kept(store, b"another dump", token="execution-8")
    forged = other.__class__(**{
        **vars(other), "plain_sha256": manifest.plain_sha256, "plain_size": manifest.plain_size,
    })  # fmt: skip
    with pytest.raises(StoreRefused, match="decrypted to something else"):
        read(store, forged)


def test_without_an_identity_that_opens_it_nothing_is_encrypted(environ: dict[str, str], tmp_path: Path) -> None:
    lacking = {name: value for name, value in environ.items() if name != "BACKUP_IDENTITY_FILE"}
    with pytest.raises(StoreRefused, match="BACKUP_IDENTITY_FILE is not"):
        Store.of(lacking, "shop")
    (tmp_path / "other").mkdir()
    stranger = identity(tmp_path / "other")[2]["BACKUP_IDENTITY_FILE"]
    with pytest.raises(StoreRefused, match="None of the identities"):
        Store.of({**environ, "BACKUP_IDENTITY_FILE": stranger}, "shop")
    with pytest.raises(StoreRefused, match="cannot be read"):
        Store.of({**environ, "BACKUP_IDENTITY_FILE": str(tmp_path / "absent")}, "shop")


def test_after_a_rotation_old_backups_are_read_with_the_old_identity_and_not_without(
    environ: dict[str, str], tmp_path: Path
) -> None:
    old = kept(Store.of(environ, "shop"), DUMP)
    old_identity = Path(environ["BACKUP_IDENTITY_FILE"]).read_text().splitlines()[1]
    (tmp_path / "new").mkdir()
    rotated = {**environ, **identity(tmp_path / "new", old_identity)[2]}
    store = Store.of(rotated, "shop")
    new = kept(store, b"newer", token="execution-8")
    assert new.recipients != old.recipients
    assert read(store, old) == DUMP and read(store, new) == b"newer"

    Path(rotated["BACKUP_IDENTITY_FILE"]).write_text(
        next(
            line
            for line in Path(rotated["BACKUP_IDENTITY_FILE"]).read_text().splitlines()
            if line.startswith("AGE-SECRET") and line != old_identity
        )
    )
    without = Store.of(rotated, "shop")
    with pytest.raises(StoreRefused, match=f"encrypted to {old.recipients[0]}"):
        read(without, old)
    assert read(without, new) == b"newer"


def test_a_target_has_recipients_of_its_own_and_every_recipient_can_read(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "offline").mkdir()
    public, _, offline = identity(tmp_path / "offline")
    recipients = tmp_path / "recipients"
    recipients.write_text(f"# the safe\n{public}\n{environ['BACKUP_RECIPIENTS']}\n")
    both = {**environ, "SHOP_EU_BACKUP_RECIPIENTS_FILE": str(recipients)}
    manifest = kept(Store.of(both, "shop-eu"), DUMP)
    assert manifest.recipients == (public, environ["BACKUP_RECIPIENTS"])
    assert read(Store.of({**environ, **offline}), manifest) == DUMP
    assert Store.of(both, "shop").keys.recipients == (environ["BACKUP_RECIPIENTS"],)


@pytest.mark.parametrize("field", ["BACKUP_RECIPIENTS", "BACKUP_IDENTITY_FILE"])
def test_a_wrong_key_is_named_by_its_place_and_never_shown(environ: dict[str, str], tmp_path: Path, field: str) -> None:
    secret = "AGE-SECRET-KEY-1CAN4RY"
    (tmp_path / "wrong").write_text(f"\n{secret}\n")
    wrong = {"BACKUP_RECIPIENTS": secret, "BACKUP_IDENTITY_FILE": str(tmp_path / "wrong")}[field]
    with pytest.raises(StoreRefused, match=field) as refused:
        Store.of({**environ, field: wrong}, "shop")
    assert "CAN4RY" not in str(refused.value)


@pytest.fixture
def nothing_left(environ: dict[str, str]) -> Iterator[None]:
    yield
    assert not any(name.endswith(".partial") for name in files(environ))


@pytest.mark.usefixtures("nothing_left")
def test_a_second_worker_that_completes_the_same_backup_takes_the_first_one(environ: dict[str, str]) -> None:
    store = Store.of(environ, "shop")
    first = kept(store, DUMP)
    assert kept(store, b"of a worker that was thought dead") == first
    assert sorted(files(environ)) == [first.name, "execution-7.manifest.json"]
