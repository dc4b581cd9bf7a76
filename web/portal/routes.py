"""The portal on a Flask application: its pages, sessions, protection against forged forms."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from db.access import sessions
from web.portal.data import departures, erasures, retention
from web.portal.endpoints import endpoint_pages
from web.portal.frame import browser, errors, formats, language, shell, words
from web.portal.frame.blueprint import portal
from web.portal.lines import catching_up, checks, former_secrets, line_pages, template_trial, templates, unknown_numbers
from web.portal.messages import (
    broker_letters,
    conversations,
    dead_letters,
    exports,
    media,
    notices,
    thread_words,
    tracking,
)
from web.portal.overview import conditions, dashboard, installation, tenants
from web.portal.people import (
    account,
    audit,
    confirm,
    keys,
    login,
    mail_links,
    openid,
    openid_settings,
    second_factor,
    users,
    visits,
    wishes,
)
from web.portal.prices import rate_cards, tenant_prices
from web.portal.wizard import connect, setup

PAGES = (
    account,
    audit,
    broker_letters,
    catching_up,
    checks,
    conditions,
    confirm,
    connect,
    conversations,
    dashboard,
    dead_letters,
    departures,
    endpoint_pages,
    exports,
    formats,
    former_secrets,
    keys,
    line_pages,
    login,
    mail_links,
    media,
    tracking,
    notices,
    openid,
    openid_settings,
    rate_cards,
    erasures,
    retention,
    tenant_prices,
    installation,
    thread_words,
    users,
    second_factor,
    setup,
    template_trial,
    templates,
    tenants,
    unknown_numbers,
    visits,
    words,
    wishes,
)
"""Each module puts its views on the blueprint when it is imported."""
errors.install(portal)
shell.install(portal)


def register(app: Flask) -> None:
    """The portal under /portal, its log-in, and its protection against forged requests."""
    secure = app.extensions["relay"].public_url.startswith("https:")
    app.config.update(
        BOOTSTRAP_SERVE_LOCAL=True,
        SESSION_COOKIE_NAME="__Host-relay" if secure else "relay",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        # Lax, because the log-in at Genesys comes back by a link of another site.
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=sessions.LONGEST_SECONDS),
        # A picture or a fragment that is still under way while somebody logs out, or gets a new token, must not
        # bring the former cookie back.
        SESSION_REFRESH_EACH_REQUEST=False,
        # The API's requests carry no cookie; the portal's guard asks for the token itself.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=sessions.LONGEST_SECONDS,
    )
    Bootstrap5(app)
    language.install(app)
    CSRFProtect(app)
    browser.manager.init_app(app)
    app.register_blueprint(portal)
