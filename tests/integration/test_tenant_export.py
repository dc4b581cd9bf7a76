"""`relay tenants export`: all of a tenant once, also after being cut off; nothing of others; opened by others."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.exceptions import InvalidTag

from conf.loading import load_settings
from conf.settings import Settings
from db.pool import Pool
from db.tenants.belongings import BELONGINGS
from demo.stack import S3Server
from relay.cli.exporting import tenant as exporting
from relay.cli.exporting.folder import ExportFolder, FolderError
from relay.clients import build_objects
from relay.stores.objects import BUCKETS
from tests.integration import age_format
from tests.integration.rows import new_message
from tests.integration.test_row_level_security import new_tenant
from tests.services.fixtures import environment

FILE = b"the bytes of a file" * 10_000


class CutOffError(Exception):
    """The power went."""


@pytest.fixture(scope="module")
def settings(postgres: str, redis_url: str, s3: S3Server) -> Settings:
    return load_settings(environment(postgres, redis_url, redis_url, s3))


@pytest.fixture(scope="module")
def shop(settings: Settings, pool: Pool) -> str:
    """A tenant with more messages than a slice has, and a file in every bucket; beside another one."""
    other = new_tenant(pool).id
    found = new_tenant(pool).id
    with pool.autocommit() as cursor:
        cursor.execute("DELETE FROM tenant_credentials WHERE tenant_id = ANY(%s::uuid[])", ([found, other],))
        cursor.execute("DELETE FROM addressees WHERE tenant_id = ANY(%s::uuid[])", ([found, other],))
        cursor.execute("SELECT id::text FROM lines WHERE tenant_id = %s", (found,))
        line_id = cursor.fetchone()[0]
    for _ in range(20):
        new_message(pool, line_id)
    objects = build_objects(settings)
    objects.ensure_buckets()
    for bucket in BUCKETS:
        for owner in (found, other):
            objects.put(bucket, f"{owner}/2026/11/30/x y", io.BytesIO(FILE), len(FILE), "image/png")
    objects.close()
    return found


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.views.belonging_rows.SLICE", 4)
    monkeypatch.setattr(exporting, "PART_BYTES", 2_000)


def shown(value: Any) -> str:
    """As it stands in the export."""
    return str(json.loads(json.dumps(value, default=exporting._plain)))


def rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((folder / "tables").iterdir()):
        found.setdefault(path.name.rpartition("-")[0], []).extend(map(json.loads, path.read_text().splitlines()))
    return found


def check(folder: Path) -> None:
    """As `sha256sum -c` does; and nothing else lies there."""
    told: dict[str, str] = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert name not in told, "no part is there twice"
        told[name] = digest
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert {name: hashlib.sha256(there[name].read_bytes()).hexdigest() for name in told} == told
    assert set(there) - set(told) == {"SHA256SUMS", "progress.jsonl"}


def cut_off_after(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    """The next part is begun, and half of it written."""
    added, write = [0], ExportFolder._write

    def written(self: ExportFolder, target: Path, content: Iterable[bytes]) -> None:
        added[0] += 1
        if added[0] > parts:
            target.write_bytes(b"half of it")
            raise CutOffError
        write(self, target, content)

    monkeypatch.setattr(ExportFolder, "_write", written)


def test_everything_of_a_tenant_is_there_once_although_it_was_cut_off_and_nothing_of_others(
    settings: Settings, pool: Pool, shop: str, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    for parts in (0, 3, 9, 4):
        with pytest.MonkeyPatch.context() as patch:
            cut_off_after(patch, parts)
            with pytest.raises(CutOffError):
                list(exporting.export(settings, shop, folder, []))
        with (folder / "progress.jsonl").open("ab") as file:
            file.write(b'{"place": "mess')  # cut off while it was noted
    assert list(exporting.export(settings, shop, folder, []))[-1].startswith("whole: ")
    check(folder)
    found = rows(folder)
    for one in BELONGINGS:
        if one.not_exported is not None or one.table == "audit_log":  # each beginning is noted there
            continue
        with pool.autocommit() as cursor:
            cursor.execute(f"SELECT {', '.join(one.key)} FROM {one.table} WHERE {one.whose}", {"tenant": shop})
            there = sorted(tuple(shown(value) for value in row) for row in cursor.fetchall())
        exported = sorted(tuple(str(row[name]) for name in one.key) for row in found.get(one.table, []))
        assert exported == there, one.table
    assert len(found["message_tracking"]) == 21
    assert all(not {*row} & {*one.hidden} for one in BELONGINGS for row in found.get(one.table, []))
    with pool.autocommit() as cursor:
        cursor.execute("SELECT id::text FROM tenants WHERE id <> %s", (shop,))
        others = [row[0] for row in cursor.fetchall()]
    held = "".join(path.read_text() for path in (folder / "tables").iterdir())
    assert not [one for one in others if one in held]
    assert {path.read_bytes() for path in (folder / "objects").rglob("x y")} == {FILE}
    assert "holds the whole export already" in next(iter(exporting.export(settings, shop, folder, [])))


def opened(folder: Path, identity: str) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*.age"):
        yield path.name, age_format.opened(path, identity)


def test_an_encrypted_export_is_opened_by_others_who_have_the_key_and_by_nobody_else(
    settings: Settings, shop: str, tmp_path: Path
) -> None:
    key, folder = pyrage.x25519.Identity.generate(), tmp_path / "shop"
    list(exporting.export(settings, shop, folder, [str(key.to_public())]))
    check(folder)
    inside = dict(opened(folder, str(key)))
    assert inside["x y.age"] == FILE
    assert json.loads(inside["tenants-00001.jsonl.age"])["id"] == shop
    assert b"name: T" in inside["settings.yaml.age"]
    open_parts = [path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".age"]
    assert sorted(open_parts) == ["SHA256SUMS", "progress.jsonl"]
    with pytest.raises(InvalidTag):
        dict(opened(folder, str(pyrage.x25519.Identity.generate())))


@pytest.mark.parametrize(
    ("recipients", "words"), [(["age1x"], "no recipient of age"), ([], "other files"), (["other"], "other recipients")]
)
def test_a_folder_that_cannot_be_gone_on_with_is_left_as_it_is(
    tmp_path: Path, recipients: Sequence[str], words: str
) -> None:
    first = str(pyrage.x25519.Identity.generate().to_public())
    if words == "other files":
        (tmp_path / "mine").write_text("x")
    elif words == "other recipients":
        ExportFolder(tmp_path, "a", [first])
        recipients = [str(pyrage.x25519.Identity.generate().to_public())]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FolderError, match=words):
        ExportFolder(tmp_path, "a", recipients)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
