"""complete-onboarding: pairs, asks the providers, activates. Repeating it is safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from db import credentials, lines, onboarding
from db.credentials import Secrets
from db.lines import LineAccounts
from db.onboarding import Line
from db.tenants import Tenant
from relay.channels.base import Finding
from web.api import auth, checks
from web.api.checks import SIDES, Checked
from web.api.context import changes, parts, reply
from web.api.errors import ApiError
from web.api.schemas import Activated, ActivatedLine, ErrorBody, FindingOut, TenantPath
from web.api.setup import ERRORS, KEY, known_tenant
from web.api.webhook_urls import WebhookUrlsOf

WHAT_TO_DO = {
    "whatsapp": "Mend the WhatsApp credentials or the phone number id, then complete the onboarding again.",
    "genesys": "Mend the Genesys credentials or the integration id, then complete the onboarding again.",
}

api = APIBlueprint(
    "onboarding",
    __name__,
    url_prefix="/api/tenants",
    abp_tags=[Tag(name="tenants")],
    abp_security=KEY,
    abp_responses=ERRORS,
)
api.before_request(auth.authenticate)


@api.post(
    "/<uuid:tenant_id>/complete-onboarding",
    summary="Check with both providers and go live",
    responses={200: Activated, 409: ErrorBody},
)
def complete(path: TenantPath) -> Response:
    tenant = known_tenant(path)
    found = _paired(tenant, _credentials(tenant))
    checked = checks.check(parts().channels, [_accounts(line) for line in found])
    _note_health(tenant, checked)
    _refuse_where_told(tenant, found, checked)
    ids = [line.id for line in found]
    active = onboarding.activate(changes(), auth.by(), tenant.id, ids)
    return reply(_activated(tenant, [line for line in active if line.id in ids], checked))


def _credentials(tenant: Tenant) -> tuple[Secrets, Secrets]:
    """Both sides, opened. Raises ApiError 409 naming what is missing."""
    held = parts()
    whatsapp, genesys = (credentials.opened(held.pool, held.cipher, tenant.id, side) for side in SIDES)
    if whatsapp is None or genesys is None:
        missing = [side for side, found in zip(SIDES, (whatsapp, genesys), strict=True) if found is None]
        details = [{"field": side, "message": f"PUT /api/tenants/{tenant.id}/{side}/credentials"} for side in missing]
        raise ApiError(409, "credentials_missing", f"credentials are missing: {' and '.join(missing)}", details)
    return whatsapp, genesys


def _paired(tenant: Tenant, held: tuple[Secrets, Secrets]) -> list[Line]:
    """The tenant's lines. Where none was made by hand, the one number is paired with the one integration."""
    number, integration = held[0].values["phone_number_id"], held[1].values["integration_id"]
    found = onboarding.listed(parts().pool, tenant.id)
    if not found:
        line = onboarding.create(
            changes(), parts().cipher, auth.by(), tenant.id, number, integration, settings={"paired": True}
        )
        return [line]
    only = found[0]
    same = (only.phone_number_id, only.integration_id) == (number, integration)
    if len(found) == 1 and only.paired and only.status != "active" and not same:
        return [onboarding.repair(changes(), auth.by(), only.id, tenant.id, number, integration)]
    return found


def _accounts(line: Line) -> LineAccounts:
    found = lines.accounts(parts().pool, parts().cipher, line.id)
    if found is None:
        raise ApiError(409, "line_removed", "a line was removed while it was checked; try again")
    return found


def _note_health(tenant: Tenant, checked: Sequence[Checked]) -> None:
    """Credentials are refused when they work for no line; one wrong number is that line's trouble."""
    for side in SIDES:
        own = [one for one in checked if one.side == side]
        if all(one.refused for one in own):
            credentials.set_health(changes(), tenant.id, side, "refused", own[0].refused[0].text)
        elif all(finding.level == "ok" for one in own for finding in one.findings if finding.check == "token"):
            credentials.set_health(changes(), tenant.id, side, "ok")


def _refuse_where_told(tenant: Tenant, found: Sequence[Line], checked: Sequence[Checked]) -> None:
    """Raises ApiError 409 with all findings when a provider said no to any line."""
    refused = [one for one in checked if one.refused]
    if not refused:
        return
    for one in refused:
        onboarding.refuse(changes(), auth.by(), tenant.id, one.line_id, one.refused[0].text)
    by_id = {line.id: line for line in found}
    details = [_detail(by_id[one.line_id], one, finding) for one in checked for finding in one.findings]
    reasons = "; ".join(f"{one.side}: {one.refused[0].text}" for one in refused)
    advice = " ".join(WHAT_TO_DO[side] for side in SIDES if any(one.side == side for one in refused))
    raise ApiError(409, "onboarding_refused", f"not activated. {reasons}. {advice}", details)


def _detail(line: Line, one: Checked, finding: Finding) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "phone_number_id": line.phone_number_id,
        "integration_id": line.integration_id,
        "side": one.side,
        "check": finding.check,
        "level": finding.level,
        "message": finding.text,
    }


def _activated(tenant: Tenant, active: Sequence[Line], checked: Sequence[Checked]) -> Activated:
    urls = WebhookUrlsOf(tenant)
    own = [] if urls.own_app or parts().meta_app_secret else [_no_app_secret()]
    return Activated(
        id=tenant.id,
        status="active",
        lines=[
            ActivatedLine(
                id=line.id,
                phone_number_id=line.phone_number_id,
                integration_id=line.integration_id,
                status=line.status,
                webhook_urls=urls.of(line),
                findings=own + [_finding(one, f) for one in checked if one.line_id == line.id for f in one.findings],
            )
            for line in active
        ],
    )


def _finding(one: Checked, finding: Finding) -> FindingOut:
    return FindingOut.model_validate(
        {"side": one.side, "check": finding.check, "level": finding.level, "text": finding.text}
    )


def _no_app_secret() -> FindingOut:
    text = "neither the tenant nor META_APP_SECRET holds an app secret, so every webhook of Meta will be refused"
    return FindingOut(side="relay", check="app_secret", level="warning", text=text)
