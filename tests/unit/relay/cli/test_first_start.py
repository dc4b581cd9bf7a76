"""What `relay init` tells: that it is so."""

from __future__ import annotations

from pydantic import SecretStr

from conf.settings import Settings
from relay.cli import first_start
from web.webhooks import meta


def test_metas_webhook_is_told_as_web_has_it() -> None:
    settings = Settings.model_construct(public_url="https://relay.example.com", meta_app_secret=SecretStr("s"))
    assert f" https://relay.example.com{meta.webhook.url_prefix}," in first_start._meta(settings)
