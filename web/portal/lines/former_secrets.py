"""The button that ends replaced signing secrets at once; the page of the lines shows those that still sign."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from db.tenants import former_secrets
from web.portal.frame.blueprint import portal, recent, tenant
from web.portal.frame.language import _
from web.portal.wizard import notes
from web.request.context import web_context
from web.request.principal import by, needs


@portal.post("/tenants/<uuid:tenant_id>/former-secrets/end")
@needs("tenants:write")
@recent
def end_former_secrets(tenant_id: object) -> Response:
    given = request.form.get("side")
    side = given if given in ("whatsapp", "genesys") else None
    ended = former_secrets.end(notes.changes(), web_context().cipher, by(), tenant().id, side)  # type: ignore[arg-type]
    count = f"{len(ended)} former secret{'' if len(ended) == 1 else 's'}"
    flash(_("%(count)s ended. Within seconds no webhook that one of them signs is taken.", count=count), "success")
    return redirect(url_for("portal.lines", tenant_id=tenant().id))
