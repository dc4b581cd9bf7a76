"""In which language a page is written: its reader's own, else their tenant's; before the log-in as the browser
wishes.

Texts stand in the code in English, marked: `_()` where one is written, `_l()` where it is only laid down, `phrase()` in
relay.core. Their translations are in relay/translations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from babel.support import NullTranslations
from flask import Flask, request
from flask_babel import Babel, Domain, get_locale, gettext, lazy_gettext, ngettext
from flask_babel.speaklater import LazyString
from flask_login import current_user
from markupsafe import Markup

from relay.core import languages
from relay.core.languages import DEFAULT
from relay.stores.catalogues import catalogue, say

_l = lazy_gettext


def _(text: str, /, **values: Any) -> str:
    """Written now, with a value for each %(name)s."""
    return str(gettext(text, **values))


def _n(one: str, more: str, count: int, /, **values: Any) -> str:
    """The form that fits `count`, which stands where %(num)s is."""
    return str(ngettext(one, more, count, **values))


class PortalCatalogues(Domain):
    """Read from the `.po` files themselves."""

    def get_translations(self) -> NullTranslations:
        return catalogue(code())


class PortalBabel(Babel):
    """Flask-Babel with catalogues that need no compiling."""

    domain_instance = PortalCatalogues()


def install(app: Flask) -> None:
    PortalBabel(app, default_locale=DEFAULT, locale_selector=_selected)
    app.jinja_env.filters["translated"] = translated
    app.jinja_env.globals.update(language=code, _n=app.jinja_env.globals["ngettext"])
    app.jinja_env.policies["ext.i18n.trimmed"] = True


def code() -> str:
    """Of the page that is being written."""
    found = get_locale()
    return DEFAULT if found is None else str(found.language)


def _selected() -> str:
    # A page that failed before anybody was looked up is written as the browser wishes.
    if current_user and current_user.is_authenticated:
        held = current_user.session
        own = languages.known(held.user.language) or languages.known(held.tenant_language)
        if own:
            return own
    return languages.wished([(name, float(quality)) for name, quality in request.accept_languages]) or DEFAULT


def offered(choices: Mapping[str, Any]) -> Callable[[], dict[str, str]]:
    """What a field offers, each time in its reader's language."""
    return lambda: {value: str(label) for value, label in choices.items()}


def translated(text: Any) -> str:
    """What was made in English elsewhere, in the reader's language as far as a catalogue has it."""
    if isinstance(text, (Markup, LazyString)):
        return str(text)
    return say(text, code())
