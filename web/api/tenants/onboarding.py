"""complete-onboarding: pairs, asks the providers, and goes live with what they prove. Repeating it is safe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response

from db.tenants import credentials, onboarding
from db.tenants.changes import Changes, NotFoundError
from db.tenants.credentials import Secrets
from db.tenants.onboarding import Line
from db.tenants.registry import Tenant
from relay.channels.base import Finding
from relay.checks import line_checks as line_checks
from relay.checks import own_side
from relay.checks.line_checks import REF, SIDES, SideFindings, Subject
from relay.checks.owners import Owners
from relay.checks.ownership import Ownership
from relay.checks.proof import LineProof, blocking, pair_of
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.tenants import checks
from web.api.tenants.schemas import Activated, ActivatedLine, ErrorBody, TenantPath
from web.api.tenants.setup import known_tenant
from web.api.tenants.webhook_urls import WebhookUrlsOf
from web.request.context import changes, pool, reply, web_context
from web.request.errors import ApiError
from web.request.principal import needs

WHAT_TO_DO = {
    "whatsapp": "Mend the WhatsApp credentials or the phone number id, then complete the onboarding again.",
    "genesys": "Mend the Genesys credentials or the integration id, then complete the onboarding again.",
}

api = behind_a_key("onboarding", __name__, "tenants", "/api/tenants")


@api.post(
    "/<uuid:tenant_id>/complete-onboarding",
    summary="Check with both providers and go live",
    responses={200: Activated, 202: Activated, 409: ErrorBody},
)
@needs("tenants:write")
def complete(path: TenantPath) -> Response:
    """200: a line is live. 202: none is yet, since a provider could not be asked or may not tell whose it is.

    A line without proof is `pending`; its `status_reason` says what is missing and what to do, and the relay asks
    again by itself at `ask_at`. 409: a provider said no, or the number or integration is another tenant's.
    """
    done = completed(known_tenant(path))
    return reply(done, 200 if any(line.status == "active" for line in done.lines) else 202)


def completed(tenant: Tenant) -> Activated:
    """The tenant's lines after both providers were asked. Raises ApiError 409, TakenError."""
    found = _paired(tenant, _credentials(tenant))
    subjects = _subjects(tenant, found)
    checked = line_checks.check_sides(web_context().channels, subjects, checks.ours())
    _note_health(tenant, checked)
    _refuse_where_told(tenant, found, checked)
    proofs = {
        one.line_id: LineProof(pair_of(one), [it for it in checked if it.line_id == one.line_id]) for one in subjects
    }
    _rename(found, proofs)
    try:
        asked = [proofs[one.line_id] for one in subjects if not one.active]
        _ownership().settle(changes(), auth.by(), tenant.id, asked)
    except NotFoundError as error:
        raise ApiError(409, "line_changed", str(error)) from error
    return _activated(known_tenant(TenantPath(tenant_id=UUID(tenant.id))), {line.id for line in found}, checked)


def _rename(found: Sequence[Line], proofs: Mapping[str, LineProof]) -> None:
    """Lines that are live already: WhatsApp may call their numbers otherwise by now."""
    for line in found:
        proof = proofs.get(line.id)
        if line.status == "active" and proof and proof.name not in ("", line.name):
            onboarding.configure(changes(), auth.by(), line.tenant_id, line.id, {"name": proof.name})


def _ownership() -> Ownership:
    """Another tenant's line may have the number: so with the connection that sees all of them."""
    everybody = Changes(web_context().pool, web_context().cache.forget_routes)
    return Ownership(Owners(everybody, web_context().cipher, web_context().channels, checks.ours()))


def _credentials(tenant: Tenant) -> tuple[Secrets, Secrets]:
    """Both sides, opened. Raises ApiError 409 naming what is missing."""
    cipher = web_context().cipher
    whatsapp, genesys = (credentials.opened(pool(), cipher, tenant.id, side) for side in SIDES)
    # Right after an admin's login the Genesys side holds that login and nothing else.
    missing = [s for s, held in zip(SIDES, (whatsapp, genesys), strict=True) if not (held and held.values.get(REF[s]))]
    if whatsapp is None or genesys is None or missing:
        details = [{"field": side, "message": f"PUT /api/tenants/{tenant.id}/{side}/credentials"} for side in missing]
        raise ApiError(409, "credentials_missing", f"credentials are missing: {' and '.join(missing)}", details)
    return whatsapp, genesys


def _paired(tenant: Tenant, held: tuple[Secrets, Secrets]) -> list[Line]:
    """The tenant's lines but released ones. Where there is none, the one number is paired with the one integration."""
    number, integration = held[0].values["phone_number_id"], held[1].values["integration_id"]
    found = [line for line in onboarding.listed(pool(), tenant.id) if line.status != "released"]
    if not found:
        line = onboarding.create(
            changes(), web_context().cipher, auth.by(), tenant.id, number, integration, settings={"paired": True}
        )
        return [line]
    only = found[0]
    same = (only.phone_number_id, only.integration_id) == (number, integration)
    if len(found) == 1 and only.paired and only.status != "active" and not same:
        return [onboarding.repair(changes(), auth.by(), only.id, tenant.id, number, integration)]
    return found


def _subjects(tenant: Tenant, found: Sequence[Line]) -> list[Subject]:
    stored = {one.line_id: one for one in line_checks.subjects(pool(), web_context().cipher, checks.ours(), tenant.id)}
    if any(line.id not in stored for line in found):
        raise ApiError(409, "line_removed", "a line was removed while it was checked; try again")
    return [stored[line.id] for line in found]


def _note_health(tenant: Tenant, checked: Sequence[SideFindings]) -> None:
    """Credentials are refused when they work for no line; one wrong number is that line's trouble."""
    for side in SIDES:
        own = [one for one in checked if one.side == side]
        if all(blocking(one) for one in own):
            credentials.set_health(changes(), tenant.id, side, "refused", blocking(own[0])[0].text)
        elif all(finding.level == "ok" for one in own for finding in one.findings if finding.check == "token"):
            credentials.set_health(changes(), tenant.id, side, "ok")


def _refuse_where_told(tenant: Tenant, found: Sequence[Line], checked: Sequence[SideFindings]) -> None:
    """Raises ApiError 409 with all findings when a provider said no to any line."""
    refused = [one for one in checked if blocking(one)]
    if not refused:
        return
    for one in refused:
        onboarding.refuse(changes(), auth.by(), tenant.id, one.line_id, blocking(one)[0].text)
    by_id = {line.id: line for line in found}
    details = [_detail(by_id[one.line_id], one, finding) for one in checked for finding in one.findings]
    reasons = "; ".join(f"{one.side}: {blocking(one)[0].text}" for one in refused)
    advice = " ".join(WHAT_TO_DO[side] for side in SIDES if any(one.side == side for one in refused))
    raise ApiError(409, "onboarding_refused", f"not activated. {reasons}. {advice}", details)


def _detail(line: Line, one: SideFindings, finding: Finding) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "phone_number_id": line.phone_number_id,
        "integration_id": line.integration_id,
        "side": one.side,
        "check": finding.check,
        "level": finding.level,
        "message": finding.text,
        "advice": finding.advice,
    }


def _activated(tenant: Tenant, ids: Collection[str], checked: Sequence[SideFindings]) -> Activated:
    urls = WebhookUrlsOf(tenant)
    return Activated(
        id=tenant.id,
        status=tenant.status,
        lines=[
            ActivatedLine(
                id=line.id,
                phone_number_id=line.phone_number_id,
                integration_id=line.integration_id,
                status=line.status,
                status_reason=line.status_reason,
                ask_at=line.ask_at,
                webhook_urls=urls.of(line),
                findings=checks.shown([*_own_side(line, urls), *(one for one in checked if one.line_id == line.id)]),
            )
            for line in onboarding.listed(pool(), tenant.id)
            if line.id in ids
        ],
    )


def _own_side(line: Line, urls: WebhookUrlsOf) -> list[SideFindings]:
    """Of our own side only what is wrong for certain: nothing can prove Meta's webhooks."""
    has_secret = urls.own_app or bool(web_context().meta_app_secret)
    return [] if has_secret else [SideFindings(line.id, "relay", (own_side.app_secret(""),))]
