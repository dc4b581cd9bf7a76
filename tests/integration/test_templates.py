"""The list of a tenant's templates: kept as Meta lists it, kept fresh by what Meta tells, known where messages pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet

from db.pool import Pool
from db.sealing import Cipher
from db.tenants import templates
from db.tenants.templates import AT_LEAST_SECONDS, LAGS_SECONDS, DueList, TemplateFilter
from relay.checks.template_lists import TemplateReader
from relay.core.templates.listed import SURE_SECONDS, ListedTemplate, TemplateShape
from relay.core.templates.news import MOST_KEPT, TemplateNews
from relay.stores.cache import Cache
from relay.stores.template_directory import TemplateDirectory
from tests.integration.rows import new_line

WABA = "200"
NEWS = TemplateNews("status", WABA, "order", "en", 1_790_000_000.0, value="PAUSED", reason="SCAM")


def known(name: str = "order", language: str = "en", **more: Any) -> ListedTemplate:
    return replace(ListedTemplate(name, language, "APPROVED", "UTILITY", shape=TemplateShape("Hello {{1}}")), **more)


@pytest.fixture
def tenant_id(pool: Pool) -> str:
    """A tenant with an active line, whose list nobody has read."""
    line_id = new_line(pool)
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM template_lists")
        cursor.execute("UPDATE lines SET status = 'released' WHERE status = 'active'")
        cursor.execute("UPDATE lines SET status = 'active' WHERE id = %s RETURNING tenant_id::text", (line_id,))
        found: str = cursor.fetchone()[0]
    templates.tidy(pool)
    return found


def taken(pool: Pool) -> DueList:
    [due] = templates.take_due(pool, 60.0, 4)
    return due


def tell(pool: Pool, tenant_id: str, *news: TemplateNews) -> None:
    with pool.transaction() as cursor:
        templates.tell(cursor, [(tenant_id, one) for one in news])


def names(pool: Pool, tenant_id: str, **wanted: str) -> list[tuple[str, str]]:
    return [(one.name, one.language) for one in templates.listed(pool, tenant_id, TemplateFilter(**wanted)).items]


def stored(pool: Pool, *found: ListedTemplate, whole: bool = True) -> list[str]:
    return templates.store(pool, taken(pool), WABA, found, whole=whole)


def make_due(pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute("UPDATE template_lists SET due_at = now() - interval '1 second'")


def wait(pool: Pool) -> float:
    """Seconds until the list is read anew."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT extract(epoch FROM due_at - now()) FROM template_lists")
        return float(cursor.fetchone()[0])


def test_a_list_is_one_readers_for_a_while_and_then_for_an_hour_nobodys(pool: Pool, tenant_id: str) -> None:
    due = taken(pool)
    assert (due.tenant_id, bool(due.line_id)) == (tenant_id, True)
    assert templates.take_due(pool, 60.0, 4) == []
    templates.store(pool, due, WABA, [known()], whole=True)
    assert templates.take_due(pool, 60.0, 4) == []
    standing = templates.standing(pool, tenant_id)
    assert standing
    assert (standing.waba_id, standing.count, standing.trouble, standing.at_work) == (WABA, 1, None, False)


def test_a_template_comes_back_as_it_was_described(pool: Pool, tenant_id: str) -> None:
    one = known(quality="GREEN", template_id="7", next_category="MARKETING")
    assert stored(pool, one, known(language="de")) == []
    assert templates.of_name(pool.of_tenant(tenant_id), tenant_id, "order") == [known(language="de"), one]


def test_what_the_whole_list_lacks_is_gone_and_named(pool: Pool, tenant_id: str) -> None:
    stored(pool, known(), known(language="de"), known("sale"))
    make_due(pool)
    assert stored(pool, known(), whole=False) == []
    assert len(names(pool, tenant_id)) == 3
    make_due(pool)
    assert stored(pool, known()) == ["sale"]
    assert names(pool, tenant_id) == [("order", "en")]


def test_the_list_is_filtered_and_paged(pool: Pool, tenant_id: str) -> None:
    stored(pool, known(), known(language="de"), known("sale", category="MARKETING", status="PAUSED", quality="RED"))
    assert names(pool, tenant_id, status="PAUSED") == [("sale", "en")]
    assert names(pool, tenant_id, category="UTILITY", language="de") == [("order", "de")]
    assert names(pool, tenant_id, quality="RED", q="al") == [("sale", "en")]
    assert names(pool, tenant_id, q="%") == []
    assert templates.choices(pool, tenant_id)["language"] == ["de", "en"]
    first = templates.listed(pool, tenant_id, TemplateFilter(), limit=2)
    assert first.next
    rest = templates.listed(pool, tenant_id, TemplateFilter(), first.next, 2)
    assert ([one.name for one in (*first.items, *rest.items)], rest.next) == (["order", "order", "sale"], None)


def test_what_meta_tells_counts_at_once_and_has_the_list_read_again(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    tell(pool, tenant_id, NEWS, NEWS)
    [one] = templates.of_name(pool, tenant_id, "order")
    assert (one.status, one.reason, one.shape) == ("PAUSED", "SCAM", TemplateShape("Hello {{1}}"))
    assert templates.news(pool, tenant_id, "order", "en") == [NEWS]
    assert 0 < wait(pool) <= AT_LEAST_SECONDS
    make_due(pool)
    assert taken(pool).tenant_id == tenant_id


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("told_meanwhile", [False, True])
def test_a_change_told_while_the_list_is_read_has_it_read_again_soon(
    pool: Pool, tenant_id: str, by_hand: bool, told_meanwhile: bool
) -> None:
    stored(pool, known())
    with pool.transaction() as cursor:
        cursor.execute("UPDATE template_lists SET due_at = now(), fetched_at = now() - interval '1 hour'")
    if not told_meanwhile:
        tell(pool, tenant_id, NEWS)
    due = templates.begin(pool, tenant_id, "", 60.0) if by_hand else taken(pool)
    assert AT_LEAST_SECONDS < wait(pool) <= 60.0
    if told_meanwhile:
        tell(pool, tenant_id, NEWS)
    templates.store(pool, due, WABA, [known()], whole=True)
    longest = AT_LEAST_SECONDS if told_meanwhile else LAGS_SECONDS
    assert longest - 10 < wait(pool) <= longest


def test_what_was_told_while_the_list_was_asked_for_is_not_undone(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    make_due(pool)
    due = taken(pool)
    tell(pool, tenant_id, NEWS)
    templates.store(pool, due, WABA, [], whole=True)
    assert [one.status for one in templates.of_name(pool, tenant_id, "order")] == ["PAUSED"]
    templates.store(pool, due, WABA, [known()], whole=True)
    assert [one.status for one in templates.of_name(pool, tenant_id, "order")] == ["PAUSED"]


@pytest.mark.parametrize(
    ("news", "category", "coming"),
    [
        (replace(NEWS, kind="category", value="MARKETING", former="UTILITY"), "MARKETING", ""),
        (replace(NEWS, kind="category", value="MARKETING", done=False), "UTILITY", "MARKETING"),
        (replace(NEWS, kind="detection", value="MARKETING", done=False), "UTILITY", "MARKETING"),
    ],
)
def test_only_a_change_of_category_that_is_done_counts(
    pool: Pool, tenant_id: str, news: TemplateNews, category: str, coming: str
) -> None:
    stored(pool, known())
    tell(pool, tenant_id, news)
    [one] = templates.of_name(pool, tenant_id, "order")
    assert (one.category, one.next_category) == (category, coming)


def test_a_changed_text_is_unknown_until_it_is_described_anew(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    tell(pool, tenant_id, replace(NEWS, kind="components", value=""))
    assert [one.shape for one in templates.of_name(pool, tenant_id, "order")] == [None]


def test_a_new_template_is_listed_before_it_is_described(pool: Pool, tenant_id: str) -> None:
    stored(pool)
    tell(pool, tenant_id, replace(NEWS, name="fresh", value="APPROVED"))
    [one] = templates.of_name(pool, tenant_id, "fresh")
    assert (one.status, one.category, one.shape) == ("APPROVED", "UNKNOWN", None)


def test_news_of_another_account_change_nothing(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    tell(pool, tenant_id, replace(NEWS, waba_id="201"))
    assert [one.status for one in templates.of_name(pool, tenant_id, "order")] == ["APPROVED"]
    assert templates.take_due(pool, 60.0, 4) == []


def test_the_newest_news_are_kept_and_no_more(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    for number in range(MOST_KEPT + 3):
        tell(pool, tenant_id, replace(NEWS, kind="quality", value=f"Q{number}"))
    found = templates.news(pool, tenant_id, "order", "en")
    assert [one.value for one in found] == [f"Q{number}" for number in range(MOST_KEPT + 2, 2, -1)]


def test_another_account_takes_all_of_the_former_one_along(pool: Pool, tenant_id: str) -> None:
    stored(pool, known(), known("sale"))
    tell(pool, tenant_id, NEWS)
    make_due(pool)
    assert templates.store(pool, taken(pool), "201", [known("other")], whole=False) == ["order", "sale"]
    assert names(pool, tenant_id) == [("other", "en")]


def test_trouble_is_told_and_what_was_known_stays(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    make_due(pool)
    templates.fail(pool, taken(pool), "Meta does not answer", 900.0)
    standing = templates.standing(pool, tenant_id)
    assert standing
    assert (standing.trouble, standing.count) == ("Meta does not answer", 1)
    assert templates.take_due(pool, 60.0, 4) == []


def test_a_tenant_without_an_active_line_loses_its_list_after_a_week(pool: Pool, tenant_id: str) -> None:
    stored(pool, known())
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET status = 'released' WHERE tenant_id = %s", (tenant_id,))
    templates.tidy(pool)
    assert templates.standing(pool, tenant_id)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE template_lists SET fetched_at = now() - interval '8 days'")
    templates.tidy(pool)
    assert templates.standing(pool, tenant_id) is None
    assert templates.of_name(pool, tenant_id, "order") == []


def test_a_list_is_doubtful_unless_it_was_read_whole_and_lately(pool: Pool, tenant_id: str) -> None:
    def doubtful() -> bool:
        [one], [same] = templates.of_name(pool, tenant_id, "order"), templates.whole_list(pool, tenant_id)
        assert one == same
        return one.doubtful

    stored(pool, known(), whole=False)
    standing = templates.standing(pool, tenant_id)
    assert doubtful() and standing and standing.trouble == templates.NOT_WHOLE
    make_due(pool)
    stored(pool, known())
    assert not doubtful()
    with pool.transaction() as cursor:
        cursor.execute("UPDATE template_lists SET fetched_at = now() - make_interval(secs => %s)", (SURE_SECONDS,))
    assert doubtful()


def test_a_reading_that_fails_publishes_nothing(pool: Pool, tenant_id: str, cipher: Cipher) -> None:
    stored(pool, known())
    make_due(pool)
    published: list[Any] = []
    channel: Any = SimpleNamespace(catalogue=None)
    reader = TemplateReader(pool, cipher, channel, lambda *given: published.append(given))
    assert reader.read(taken(pool), 1.0)
    assert published == []


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([Fernet.generate_key().decode()])


@pytest.fixture
def cache(redis_url: str, cipher: Cipher) -> Iterator[Cache]:
    made = Cache(redis_url, cipher)
    yield made
    made.close()


def test_what_one_process_kept_every_other_knows_and_no_other_tenant(cache: Cache, tenant_id: str) -> None:
    reader, sender = TemplateDirectory(cache), TemplateDirectory(cache)
    reader.keep(tenant_id, [known(), known(language="de")], [])
    assert sender.of_name(tenant_id, "order") == (known(), known(language="de"))
    assert sender.of_name("somebody else", "order") == ()
    reader.keep(tenant_id, [], ["order"])
    assert TemplateDirectory(cache).of_name(tenant_id, "order") == ()


def test_what_was_kept_becomes_doubtful(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    TemplateDirectory(cache).keep("tenant", [known()], [])
    assert TemplateDirectory(cache).of_name("tenant", "order") == (known(),)
    later = time.time() + SURE_SECONDS
    monkeypatch.setattr("relay.stores.template_directory.time.time", lambda: later)
    assert TemplateDirectory(cache).of_name("tenant", "order") == (known(doubtful=True),)


def test_memory_is_bounded(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.stores.template_directory.REMEMBERED", 3)
    sender = TemplateDirectory(cache)
    for number in range(10):
        sender.of_name("tenant", f"name_{number}")
    assert len(sender._own) == 3
