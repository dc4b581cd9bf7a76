"""conf.logging: what looks like a secret is masked by name and by shape, on both sides of the standard library."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import structlog

from conf import logging as ours
from relay.core.redaction import redacted


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "name",
    ["token", "access_token", "client_secret", "Authorization", "password", "X-Hub-Signature-256", "api_key", "key"],
)
def test_values_under_secret_names_are_masked(name: str) -> None:
    assert redacted({"event": "x", name: "EAAG-1"})[name] == "[secret]"


@pytest.mark.parametrize("name", ["token", "api_key"])
def test_a_long_name_is_judged_like_a_short_one(name: str) -> None:
    assert redacted({"x" * 100 + "_" + name: "EAAG-1"}) == {"x" * 100 + "_" + name: "[secret]"}


@pytest.mark.parametrize("name", ["event", "routing_key", "idempotency_key", "monkey", "phone_number_id", "keyboard"])
def test_other_values_stay(name: str) -> None:
    assert redacted({name: "EAAG-1"})[name] == "EAAG-1"


def test_secrets_inside_structures_are_masked() -> None:
    event = {"request": {"headers": {"Authorization": "Bearer abc"}, "list": [{"token": "abc"}]}, "ok": True}
    text = json.dumps(redacted(event))
    assert "abc" not in text


@pytest.mark.parametrize(
    "text",
    [
        "could not connect to postgresql://relay:s3cr3t@db/relay",
        "redis://:s3cr3t@cache:6379/0 refused",
        "sent Authorization: Bearer s3cr3t-token-1234",
        "GET http://files/bucket/x?X-Amz-Expires=60&X-Amz-Signature=s3cr3t&a=b",
        "GET /oauth?access_token=s3cr3t",
    ],
)
def test_secrets_inside_text_are_masked(text: str) -> None:
    masked = redacted({"event": text})["event"]
    assert "s3cr3t" not in masked
    assert "[secret]" in masked


def test_json_lines_carry_context_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    ours.configure(redacted, "INFO", "json")
    with structlog.contextvars.bound_contextvars(tenant="nordwind"):
        structlog.get_logger("relay.test").info("started", password="s3cr3t", count=2)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["tenant"], line["level"], line["count"]) == ("started", "nordwind", "info", 2)
    assert line["password"] == "[secret]"
    assert "timestamp" in line


def test_lines_of_the_standard_library_go_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    ours.configure(redacted, "INFO", "json")
    logging.getLogger("kombu").warning("lost %s", "amqp://u:s3cr3t@h//")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "lost amqp://u:[secret]@h//"
    assert line["logger"] == "kombu"


def test_an_exception_is_logged_without_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    ours.configure(redacted, "INFO", "json")
    try:
        raise ConnectionError("postgresql://relay:s3cr3t@db/relay")
    except ConnectionError:
        structlog.get_logger("relay.test").exception("failed")
    text = capsys.readouterr().err
    assert "s3cr3t" not in text
    assert "ConnectionError" in text


def test_the_level_is_respected(capsys: pytest.CaptureFixture[str]) -> None:
    ours.configure(redacted, "WARNING", "console")
    structlog.get_logger("relay.test").info("quiet")
    structlog.get_logger("relay.test").warning("loud")
    text = capsys.readouterr().err
    assert "quiet" not in text
    assert "loud" in text


@dataclass
class Login:
    person: str
    password: str = field(repr=False)


class Reset:
    def __repr__(self) -> str:
        return "<reset at https://relay.test/reset?token=s3cr3t >"


def test_an_object_says_by_its_repr_what_may_be_seen_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    ours.configure(redacted, "INFO", "json")
    structlog.get_logger("relay.test").info("started", login=Login("anna", "s3cr3t"), reset=Reset())
    text = capsys.readouterr().err
    assert "s3cr3t" not in text
    line = json.loads(text)
    assert (line["login"], line["reset"]) == (
        "Login(person='anna')",
        "<reset at https://relay.test/reset?token=[secret] >",
    )


@pytest.mark.parametrize("value", [2**70, "half \ud83d of a sign", "gr\u00fc\u00dfe \u2028 \U0001f600"])
def test_what_only_pythons_own_json_can_say_is_said(capsys: pytest.CaptureFixture[str], value: object) -> None:
    ours.configure(redacted, "INFO", "json")
    structlog.get_logger("relay.test").info("started", value=value)
    text = capsys.readouterr().err
    assert text.isascii()
    assert json.loads(text)["value"] == value


def test_each_of_our_lines_names_its_logger(capsys: pytest.CaptureFixture[str]) -> None:
    ours.configure(redacted, "INFO", "json")
    structlog.get_logger("relay.test").warning("waits for %s", "nobody")
    line = json.loads(capsys.readouterr().err)
    assert (line["logger"], line["event"], line["level"]) == ("relay.test", "waits for nobody", "warning")


class Unspeakable:
    def __repr__(self) -> str:
        raise ValueError("no word")


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_a_line_that_cannot_be_written_tells_nothing_of_what_it_held(
    capsys: pytest.CaptureFixture[str], fmt: str
) -> None:
    ours.configure(redacted, "INFO", fmt)
    logging.getLogger("kombu").warning("password=s3cr3t %d", "access_token=s3cr3t")
    structlog.get_logger("relay.test").info("started", thing=Unspeakable(), password="s3cr3t")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["event"], one["logger"], one["error"]) for one in lines] == [
        ("log_line_lost", "kombu", "TypeError"),
        ("log_line_lost", "relay.test", "ValueError"),
    ]
    assert [one["place"].partition(":")[0] for one in lines] == ["test_logging"] * 2
    assert "s3cr3t" not in str(lines)


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_no_text_passes_for_another_line(capsys: pytest.CaptureFixture[str], fmt: str) -> None:
    ours.configure(redacted, "INFO", fmt)
    forged = "x\n{}\r2026 [error] forged\x1b[31m\u2028\x85"
    logging.getLogger("kombu").warning("lost %s", forged)
    structlog.get_logger("relay.test").info("started", name=forged)
    try:
        raise ValueError(forged)
    except ValueError:
        structlog.get_logger("relay.test").exception("failed")
    text = capsys.readouterr().err
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    ours_alone = [line for line in text.split("\n") if line and not line.startswith("    ")]
    assert [("kombu" in one, "relay.test" in one) for one in ours_alone if one[:9] != "Traceback"] == [
        (True, False), (False, True), (False, True),
    ]  # fmt: skip


def test_gunicorns_own_lines_go_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    own = logging.getLogger("gunicorn.error")
    own.propagate, own.handlers[:] = False, [logging.StreamHandler()]
    ours.configure(redacted, "INFO", "json")
    own.warning("Invalid HTTP request line: 'GET /webhook/meta?hub.verify_token=s3cr3t FOO'")
    text = capsys.readouterr().err
    assert "s3cr3t" not in text
    assert json.loads(text)["logger"] == "gunicorn.error"
