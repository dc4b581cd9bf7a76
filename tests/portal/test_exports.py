"""A conversation to print or as a table, and all that is kept of a person in one file."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from flask import Flask

from db.pool import Pool
from db.views import transcript
from relay.core.exports.spreadsheet import BOM
from relay.core.messages import Media
from relay.stores.objects import MEDIA_INBOUND
from tests.portal.client import Person
from tests.portal.rows import House
from web.portal.messages import exports
from web.request.web_context import WebContext

ADA, BEN = "4915111111111", "4915222222222"
PICTURE = b"\x89PNG of a zip"


@pytest.fixture
def other_line(house: House) -> House:
    """The same tenant's second number."""
    other = House(house.pool)
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET tenant_id = %s WHERE id = %s", (house.tenant_id, other.line_id))
    other.tenant_id = house.tenant_id
    return other


def downloaded(admin: Person, path: str) -> bytes:
    answer = admin.answer(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return answer.get_data()


def test_a_table_holds_all_messages_in_their_order_and_no_formulas(
    admin: Person, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript, "SLICE", 2)
    said = [house.say(ADA, f"={n}+1", state="sent", name="Ada Brandt") for n in range(5)]
    page = f"{house.path}/conversations/{said[0].conversation_id}"
    text = downloaded(admin, f"{page}/messages.csv").decode().removeprefix(BOM)
    table = list(csv.DictReader(io.StringIO(text)))
    assert [line["text"] for line in table] == [f"'={n}+1" for n in range(5)]
    assert [line["message_id"] for line in table] == [row.id for row in said]
    assert {line["from"] for line in table} == {"customer"}
    assert house.audited("conversation.exported")[-1]["format"] == "csv"


def test_a_transcript_goes_on_where_its_first_part_ended(
    admin: Person, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PRINTED", 2)
    for text in ("First word", "Second word", "Third word"):
        row = house.say(BEN, text, state="sent")
    page = f"{house.path}/conversations/{row.conversation_id}/transcript"
    first = admin.get(page)
    assert "First word" in first and "Third word" not in first
    further = first.partition('href="' + page + "?after=")[2].partition('"')[0]
    second = admin.get(f"{page}?after={further}")
    assert "Third word" in second and "First word" not in second
    assert "What was said after that" not in second
    assert "not there" in admin.get(f"{page}?after=nonsense", status=400)


def test_all_of_a_person_is_in_the_archive_and_nothing_of_anybody_else(
    admin: Person, house: House, other_line: House, app: Flask
) -> None:
    parts: WebContext = app.extensions["relay"]
    key = f"{house.tenant_id}/2026/11/30/picture"
    parts.objects.put(MEDIA_INBOUND, key, io.BytesIO(PICTURE), len(PICTURE), "image/png")
    kept = Media("image", "image/png", filename="zip.png", size=len(PICTURE), bucket=MEDIA_INBOUND, object_key=key)
    gone = Media("image", "image/png", bucket=MEDIA_INBOUND, object_key=f"{key}-gone")
    here = house.say("4915333333333", "On the first line", name="Cem", media=kept)
    lost = house.say("4915333333333", None, media=gone)
    there = other_line.say("4915333333333", "On the second line")
    house.say("4915444444444", "Somebody else's secret", name="Dora")
    raw = downloaded(admin, f"{house.path}/conversations/{here.conversation_id}/person.zip")
    with zipfile.ZipFile(io.BytesIO(raw)) as found:
        names, content = found.namelist(), {name: found.read(name) for name in found.namelist()}
    told = json.loads(content["person.json"])
    assert [one["conversation"]["id"] for one in told["conversations"]] == [here.conversation_id, there.conversation_id]
    assert content[f"{here.conversation_id}/files/{here.id}-zip.png"] == PICTURE
    assert b"no copy" in content[f"{here.conversation_id}/files/{lost.id}-image.png"]
    assert "On the second line" in content[f"{there.conversation_id}/messages.jsonl"].decode()
    assert f"{here.conversation_id}/messages.csv" in names
    whole = b"".join(content.values())
    assert b"Somebody else" not in whole and b"Dora" not in whole
    assert key.encode() not in whole
    assert house.audited("person.exported")[-1]["subject"] == here.conversation_id


def test_another_tenants_conversation_is_in_no_export(admin: Person, house: House, pool: Pool) -> None:
    theirs = House(pool, "Südlicht").say(ADA, "Not yours")
    for what in ("transcript", "messages.csv", "person.zip"):
        assert "Not yours" not in admin.get(f"{house.path}/conversations/{theirs.conversation_id}/{what}", status=404)
