"""Where the links in mails lead, without a log-in: an address is confirmed, or no more is sent to it.

Opening one only shows a page with a button: programs that look through mails open links, too. A mail program's own
button posts to the second one at once (RFC 8058).
"""

from __future__ import annotations

import structlog
from flask import render_template, request

from db.conditions import confirming
from db.conditions.mail_links import Purpose
from web.portal.frame.blueprint import portal, self_proving
from web.portal.people.wishes import mail_links
from web.request import limits
from web.request.context import web_context

log = structlog.get_logger(__name__)

PageResponse = str | tuple[str, int]


@portal.route("/mail/confirm/<token>", methods=["GET", "POST"])
@self_proving
def confirm_mail(token: str) -> PageResponse:
    return _page("confirm", token)


@portal.route("/mail/leave/<token>", methods=["GET", "POST"])
@self_proving
def leave_mail(token: str) -> PageResponse:
    return _page("leave", token)


def _page(purpose: Purpose, token: str) -> PageResponse:
    limits.may_guess(limits.MAIL_LINKS, limits.address())
    found = mail_links().addressee(web_context().pool, purpose, token)
    if found is None:
        limits.guessed(limits.MAIL_LINKS, limits.address())
        return render_template("portal/mail_link.html", purpose=purpose, email=None, done=False), 404
    addressee_id, email = found
    done = request.method == "POST"
    if done:
        if purpose == "confirm":
            confirming.confirm(web_context().pool, addressee_id, email)
        else:
            confirming.leave(web_context().pool, addressee_id)
        log.info("mail_link_used", addressee=addressee_id, purpose=purpose)
    return render_template("portal/mail_link.html", purpose=purpose, email=email, done=done)
