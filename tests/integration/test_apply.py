"""`relay apply`: the documents' example is applied, is then nothing to do; what is not right is said in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from conf.loading import load_settings
from db.audit import Author
from db.endpoints import registry as endpoints
from db.pool import Pool
from db.tenants import credentials, onboarding, registry, retention
from db.tenants.changes import Changes
from db.tenants.registry import Tenant
from db.views import audit_search
from db.views.audit_search import AuditSearch
from db.whole import ChangedMeanwhileError, whole
from demo.stack import S3Server
from relay.cli.applying import apply
from relay.cli.applying.document import TenantFileError
from relay.cli.applying.plan import NotPlannedError
from relay.cli.speaking import NotNowError
from relay.clients import build_cipher
from relay.core.retention import RetentionError
from tests.integration.test_operator import relay
from tests.services.fixtures import environment

GUIDE = Path(__file__).parents[2] / "docs/apply.md"
SECRETS = {
    "SHOP_WHATSAPP_TOKEN": "EAAtokentokentoken", "SHOP_APP_SECRET": "app-secret-1", "SHOP_VERIFY_TOKEN": "verify-1",
    "SHOP_GENESYS_WEBHOOK_SECRET": "hook-secret-1", "SHOP_CONDITIONS_URL": "https://hooks.shop.example/c/s3cr3t",
}  # fmt: skip
NOTHING = "Nothing to do: the tenant is as the file says."
CLIENT_SECRET = "client-secret-1"


def example(folder: Path) -> str:
    """The documents' file, its one secret from a file led to `folder`."""
    found = re.search(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    secret = folder / "client"
    secret.write_text(CLIENT_SECRET + "\n")
    return found[1].replace("/run/secrets/shop-genesys-client", str(secret))


@pytest.fixture(scope="module")
def env(postgres: str, redis_url: str, s3: S3Server) -> dict[str, str]:
    """No broker is asked for anything."""
    return {**environment(postgres, redis_url, redis_url, s3), **SECRETS}


@pytest.fixture(autouse=True)
def secrets_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, "INNER_URL": "http://hooks.shop.example/"}.items():
        monkeypatch.setenv(name, value)


def applied(env: Mapping[str, str], file: Path, *, do: bool = False, expected: str | None = None) -> list[str]:
    done = apply.apply(load_settings(env), file, do=do, expected=expected)
    assert done.open == (not do and "Nothing to do" not in done.lines[-1])
    return done.lines


def shop(pool: Pool, name: str) -> Tenant:
    [found] = registry.named(pool, name)
    return found


def opened(env: Mapping[str, str], pool: Pool, tenant_id: str) -> dict[str, str]:
    held = credentials.opened(pool, build_cipher(load_settings(env)), tenant_id, "genesys")
    assert held
    return held.values


def test_the_documents_own_file_is_applied_and_then_there_is_nothing_to_do(
    env: dict[str, str], pool: Pool, tmp_path: Path
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(example(tmp_path))
    planned = relay(env, "apply", str(file))
    assert planned.returncode == 2, planned.stderr
    assert not registry.named(pool, "Demo Shop")
    mark = planned.stdout.split()[-1]
    done = applied(env, file, do=True, expected=mark)
    assert not [one for one in (*SECRETS.values(), CLIENT_SECRET) if one in planned.stdout + "".join(done)]
    assert len([one for one in done if "told only now: whsec_" in one]) == 2

    tenant = shop(pool, "Demo Shop")
    [line] = onboarding.listed(pool, tenant.id)
    assert opened(env, pool, tenant.id)["client_secret"] == CLIENT_SECRET
    assert (tenant.contact, tenant.language, tenant.second_factor_demanded) == ("it@shop.example", "de", True)
    assert line.settings["end_words"] == ["stop", "bye"]
    assert line.ask_at, "the daemons ask both providers"
    assert retention.chosen(pool, tenant.id) == {"contents": 180, "webhooks": 30}
    assert [one.kinds for one in endpoints.listed(pool, tenant.id)] == [["message.received", "message.failed"]]
    noted = {
        one.action for one in audit_search.listed(pool, AuditSearch(tenant.id)).items if one.actor == "command line"
    }
    assert {"tenant.created", "credentials.put", "line.put", "retention.changed", "endpoint.created"} <= noted
    assert applied(env, file) == applied(env, file, do=True) == [NOTHING]


def test_the_file_of_a_tenant_changes_nothing_and_holds_no_secret(
    env: dict[str, str], pool: Pool, tmp_path: Path
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(example(tmp_path).replace("Demo Shop", "no"))
    applied(env, file, do=True)
    [text] = apply.export(load_settings(env), shop(pool, "no").id)
    assert not [one for one in (*SECRETS.values(), CLIENT_SECRET) if one in text]
    file.write_text(text)
    assert applied(env, file) == [NOTHING]


def test_a_plan_tells_what_differs_without_secrets_and_an_old_one_is_refused(
    env: dict[str, str], pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(example(tmp_path).replace("Demo Shop", "Third Shop"))
    mark = applied(env, file)[-1].split()[-1]
    applied(env, file, do=True)
    changed = file.read_text().replace("mark_read: true", "show_typing: false").partition("endpoints:")[0]
    file.write_text(changed + "endpoints: []\nconditions_webhook: null\n")
    monkeypatch.setenv("SHOP_APP_SECRET", "app-secret-2")
    with pytest.raises(NotNowError, match="found by its name: say `tenant:` with this id in the file, or --plan"):
        applied(env, file, do=True)
    assert applied(env, file)[:-1] == [
        f"tenant {shop(pool, 'Third Shop').id}, found by its name",
        "~ credentials of whatsapp: app_secret changed",
        "~ line 106540352242922 / 7a0e3c52-5c1e-4b52-9d6f-0d1c3f1d2a11: "
        "mark_read true -> not set, show_typing not set -> false",
        '- endpoint "https://hooks.shop.example/relay"',
        "- conditions_webhook",
    ]
    with pytest.raises(NotNowError, match="another one by now"):
        applied(env, file, do=True, expected=mark)
    applied(env, file, do=True, expected=applied(env, file)[-1].split()[-1])
    assert applied(env, file) == [NOTHING]
    assert "show_typing" in onboarding.listed(pool, shop(pool, "Third Shop").id)[0].settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: A\ncontakt: x\n", "line 2: contakt is unknown; did you mean contact?"),
        ("name: A\ncredentials:\n  whatsapp:\n    access_token: EAAsecret\n", "line 4: access_token is a secret"),
        ("name: A\nconditions_webhook: env:NOT_THERE\n", "line 2: the environment has no NOT_THERE"),
        ("name: A\nconditions_webhook: kept\n", "line 2: the relay has no conditions_webhook here to keep"),
        ("name: A\nconditions_webhook: env:INNER_URL\n", "has to be https:// and a public host"),
        ("name: A\nretention: {contents: 1}\n", "contents"),
        ("name: A\npaused: true\n", "not set up yet"),
        ("name: [1]\n", "line 1: name"),
        ("tenant: 0190f0a1-0000-7000-8000-000000000000\nname: A\n", "there is no tenant"),
        ("- a\n", "has to begin with keys"),
    ],
)
def test_what_is_not_right_is_said_with_its_line_and_nothing_is_done(
    env: dict[str, str], pool: Pool, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises((TenantFileError, NotPlannedError, RetentionError)) as refused:
        applied(env, file, do=True)
    assert words in str(refused.value)
    assert "EAAsecret" not in str(refused.value)
    assert not registry.named(pool, "A")


def test_a_live_line_is_not_let_go_by_a_file(env: dict[str, str], pool: Pool, line_id: str, tmp_path: Path) -> None:
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET status = 'active' WHERE id = %s RETURNING tenant_id::text", (line_id,))
        tenant_id = cursor.fetchone()[0]
    file = tmp_path / "a.yaml"
    file.write_text(f"tenant: {tenant_id}\nname: T\nlines: []\n")
    with pytest.raises(NotPlannedError, match=f"relay lines release {line_id}"):
        applied(env, file, do=True)


def test_what_somebody_else_changes_at_the_same_moment_is_not_written_over(pool: Pool, line_id: str) -> None:
    tenant_id = onboarding_tenant(pool, line_id)
    by, forget = Author("test"), lambda refs: None

    def all_of_it() -> None:
        with whole(pool) as one:
            retention.choose(Changes(one, forget), by, tenant_id, {"contents": 30})  # the snapshot is taken
            onboarding.configure(Changes(pool, forget), by, tenant_id, line_id, {"mark_read": True})
            onboarding.configure(Changes(one, forget), by, tenant_id, line_id, {"mark_read": False})

    with pytest.raises(ChangedMeanwhileError):
        all_of_it()
    assert onboarding.listed(pool, tenant_id)[0].settings == {"mark_read": True}
    assert retention.chosen(pool, tenant_id) == {}, "all or nothing"


def onboarding_tenant(pool: Pool, line_id: str) -> str:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (line_id,))
        return str(cursor.fetchone()[0])
