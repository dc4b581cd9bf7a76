"""Templates as pages and API use them: the list read anew at somebody's wish, a filled-in one looked at."""

from __future__ import annotations

from collections.abc import Sequence

from db.mailbox import sends
from db.pool import Pool
from db.tenants import templates
from relay.checks.template_lists import TemplateReader
from relay.core.content import Native, Template
from relay.core.templates.check import mistakes
from relay.core.templates.values import TemplateMistake
from web.request.context import web_context
from web.request.errors import ApiError

READ_SECONDS = 15.0
TAKEN_SECONDS = 30.0
MISTAKE = "template_mistake"
"""The code of the error that names what is wrong with a filled-in template."""


def read_anew(pool: Pool, tenant_id: str, line_id: str) -> str | None:
    """Ask Meta now. Returns what stood in the way. Raises TakenError where that was done a moment ago."""
    due = templates.begin(pool, tenant_id, line_id, TAKEN_SECONDS)
    parts = web_context()
    reader = TemplateReader(pool, parts.cipher, parts.channels["whatsapp"], parts.templates.keep)
    return reader.read(due, READ_SECONDS)


def found_wrong(pool: Pool, tenant_id: str, given: Template, file: str | None) -> list[TemplateMistake]:
    """What keeps it from being sent; nothing where the template is not listed."""
    return mistakes(templates.of_name(pool, tenant_id, given.name), given, file)


def checked(pool: Pool, tenant_id: str, given: Template, file: str | None, key: str | None) -> None:
    """Raises ApiError that names each place. What was asked for under `key` before is the same message still."""
    _refuse(pool, tenant_id, found_wrong(pool, tenant_id, given, file), "template", key)


def checked_native(pool: Pool, tenant_id: str, given: Native, key: str | None) -> None:
    """The same of a template in Meta's own words, `message.template` in the details."""
    catalogue = web_context().channels["whatsapp"].catalogue
    name = catalogue.named(given) if catalogue is not None else None
    if catalogue is None or name is None:
        return
    found = catalogue.wrong(given, templates.of_name(pool, tenant_id, name))
    _refuse(pool, tenant_id, found, "message.template", key)


def _refuse(pool: Pool, tenant_id: str, found: Sequence[TemplateMistake], field: str, key: str | None) -> None:
    if not found or (key is not None and sends.asked_before(pool, tenant_id, key)):
        return
    details = [{"field": f"{field}.{one.where}", "message": one.text} for one in found]
    raise ApiError(400, MISTAKE, "; ".join(one.text for one in found), details)
