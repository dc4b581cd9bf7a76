"""What people call a line: the number's verified name and the number itself. Its id only where WhatsApp never said."""

from __future__ import annotations

from uuid import UUID

from flask import g

from db.tenants import onboarding
from db.tenants.changes import NotFoundError
from db.tenants.onboarding import Line
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.language import _
from web.portal.wizard.state import names as offered_names


def line_names() -> dict[str, str]:
    """Of all the tenant's lines, by their own id; looked up once per request."""
    if "line_names" not in g:
        lines = onboarding.listed(tenant_pool(), tenant().id)
        offered = {} if all(line.name for line in lines) else offered_names("whatsapp")
        g.line_names = {
            line.id: line.name or offered.get(line.phone_number_id) or line.phone_number_id for line in lines
        }
    found: dict[str, str] = g.line_names
    return found


@portal.app_template_global("line_name")
def line_name(line_id: object) -> str:
    return line_names().get(str(line_id), "–")


def own_line(line_id: UUID) -> Line:
    """One of the tenant's. Raises NotFoundError, which is answered 404, also for a line of somebody else."""
    for one in onboarding.listed(tenant_pool(), tenant().id):
        if one.id == str(line_id):
            return one
    raise NotFoundError(_("there is no such line"))


def line_choices() -> dict[str, str]:
    """For a filter: all of them, or one."""
    return {"": _("All lines"), **line_names()}
