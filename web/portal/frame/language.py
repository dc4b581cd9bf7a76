"""In which language a page is written: its reader's own, else their tenant's; before the log-in as the browser
wishes.

Texts stand in the code in English, marked: `_()` where one is written, `_l()` where it is only laid down, `phrase()` in
relay.core. Their translations are in relay/translations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from babel.numbers import format_decimal
from babel.support import NullTranslations
from flask import Flask, request
from flask_babel import Babel, Domain, get_locale, gettext, lazy_gettext, ngettext
from flask_babel.speaklater import LazyString
from flask_login import current_user
from markupsafe import Markup

from relay.core import languages
from relay.core.languages import DEFAULT, Phrase
from relay.stores.catalogues import catalogue

_ = gettext
_l = lazy_gettext
_n = ngettext


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
    found = catalogue(code())
    if isinstance(text, Phrase):
        values = {name: _value(value) for name, value in text.values.items()}
        pattern = str(found.gettext(text.pattern))
        return pattern % values if values else pattern
    return str(found.gettext(text)) if text else ""


def _value(value: Any) -> Any:
    if isinstance(value, int):
        return format_decimal(value, locale=code())
    return translated(value) if isinstance(value, Phrase) else value
