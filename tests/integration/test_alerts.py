"""Each alert is silent while all is well, fires while its trouble lasts, and clears: by promtool, on real scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml

from db.pool import Pool
from demo.stack import Redis
from relay import metrics
from relay.broker.topology import declare
from relay.measured import measured
from tests.integration.alarming import SHARDS, TROUBLES, House
from tests.integration.alerting import RULES, fires, scrape
from web import metrics as web_metrics
from web.request import record

ALERTS = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def house(postgres: str, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = redis_server.url(2)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    declare(url, SHARDS)
    with Pool(postgres) as pool:
        found = House(pool, url, tmp_path_factory.mktemp("alerts"))
        found.measure()
        metrics.actors_stuck.clear()  # what tests of other modules have left hanging
        web_metrics.webhooks.labels("whatsapp", "accepted").inc()
        record.answered("POST", "/webhook/meta", 200, 0.1)
        yield found
        found.consumer.stop()
    measured.show({})


def test_every_alert_has_a_trouble() -> None:
    assert sorted(ALERTS) == sorted(TROUBLES)


@pytest.mark.parametrize("alert", ALERTS)
def test_it_fires_while_the_trouble_lasts(house: House, alert: str, tmp_path: Path) -> None:
    before = scrape()
    with TROUBLES[alert](house):
        during = scrape()
    after = scrape()
    assert fires(alert, before, during, after, tmp_path) == [False, True, False]
