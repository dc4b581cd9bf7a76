"""What a person reads when something did not go well. The same errors as the API's, as a page."""

from __future__ import annotations

from math import ceil

import structlog
from flask import Blueprint, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from db.tenants.changes import NotFoundError, TakenError
from relay.core.errors import StoreError
from web.portal.frame.language import _, _l, translated
from web.request.errors import TEXTS, ApiError, request_id

log = structlog.get_logger(__name__)
TITLES = {
    400: _l("That did not work"),
    403: _l("You may not do this"),
    404: _l("There is no such page"),
    409: _l("Not as things stand"),
    413: _l("Too large"),
    429: _l("Too many requests"),
    503: _l("Back in a moment"),
}
ErrorPage = tuple[str, int, dict[str, str]]


def page(status: int, text: str, retry_after: float | None = None) -> ErrorPage:
    title = TITLES.get(status, _l("Something went wrong"))
    headers = {} if retry_after is None else {"Retry-After": str(ceil(retry_after))}
    return (
        render_template("portal/error.html", title=title, text=translated(text), request_id=request_id()),
        status,
        headers,
    )


def install(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(ApiError, lambda error: page(error.status, error.message, error.retry_after))
    blueprint.register_error_handler(NotFoundError, lambda error: page(404, str(error)))
    blueprint.register_error_handler(TakenError, lambda error: page(409, str(error)))
    blueprint.register_error_handler(CSRFError, _stale)
    blueprint.register_error_handler(StoreError, _away)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _unexpected)


def _stale(error: CSRFError) -> ErrorPage:
    if "referrer" in str(error.description):
        log.warning("form_from_elsewhere", host=request.host, reason=error.description)
        return page(
            400,
            _(
                "Your browser says that this form is from another address than it was sent to, or does not say. Open "
                "the portal at its own address. If it stays, its operator sees to it that the proxy hands the Host "
                "header on."
            ),
        )
    return page(400, _("This page was open for too long. Go back, reload it, and try again."))


def _away(error: StoreError) -> ErrorPage:
    log.warning("a store is away", error=str(error), rule=str(request.url_rule))
    return page(503, _("Something that this page needs does not answer. Try again in a moment."))


def _http(error: HTTPException) -> ErrorPage:
    status = error.code or 500
    return page(status, TEXTS.get(status) or str(error.description or error.name))


def _unexpected(error: Exception) -> ErrorPage:
    log.error("unexpected error", rule=str(request.url_rule), method=request.method, exc_info=error)
    return page(500, _("This is our fault. Tell your operator the number below; it leads to the log."))
