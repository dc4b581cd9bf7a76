"""Numbers, business accounts, subscriptions and tokens, as onboarding and diagnosis read and set them."""

import secrets
from collections.abc import Callable
from typing import Any

import requests
from flask import request

from sandbox.accounts import App, Number, Waba
from sandbox.gateway import ProviderAnswer
from sandbox.meta import analytics
from sandbox.meta.errors import GraphError
from sandbox.world_access import current

URL_LENGTH = 200
_DEFAULT_FIELDS = ("verified_name", "display_phone_number", "quality_rating")


def phone_number(number: Number, body: Callable[[], dict[str, Any]]) -> ProviderAnswer:
    if request.method == "POST":
        return _configure_webhook(number, body())
    wanted = [each for each in request.args.get("fields", "").split(",") if each] or list(_DEFAULT_FIELDS)
    return ProviderAnswer(_select(_number_fields(number), wanted) | {"id": number.phone_number_id})


def waba(account: Waba) -> ProviderAnswer:
    asked = request.args.get("fields", "")
    if asked.startswith(analytics.NAME):
        world = current()
        found = analytics.answer(world.billing, world.accounts.by_waba.get(account.waba_id, []), asked)
        return ProviderAnswer(found | {"id": account.waba_id})
    fields = {
        "name": "Sandbox business account",
        "timezone_id": "1",
        "message_template_namespace": account.waba_id,
        "health_status": _health(account.waba_id, "WABA"),
        "account_review_status": "APPROVED",
    }
    wanted = [each for each in request.args.get("fields", "").split(",") if each] or ["name", "timezone_id"]
    return ProviderAnswer(_select(fields, wanted) | {"id": account.waba_id})


def phone_numbers(account: Waba) -> ProviderAnswer:
    wanted = [each for each in request.args.get("fields", "").split(",") if each] or list(_DEFAULT_FIELDS)
    numbers = current().accounts.by_waba.get(account.waba_id, [])
    return ProviderAnswer(
        {
            "data": [_select(_number_fields(each), wanted) | {"id": each.phone_number_id} for each in numbers],
            "paging": {"cursors": {"before": "QVFI", "after": "QVFJ"}},
        }
    )


def subscriptions(account: Waba) -> ProviderAnswer:
    if not account.subscribed:
        return ProviderAnswer({"data": []})
    data: dict[str, Any] = {
        "whatsapp_business_api_data": {
            "id": account.app_id,
            "link": f"https://www.facebook.com/games/?app_id={account.app_id}",
            "name": "Relay",
        }
    }
    if account.override:
        data["override_callback_uri"] = account.override
    return ProviderAnswer({"data": [data]})


def subscribe(account: Waba, body: dict[str, Any]) -> ProviderAnswer:
    """A plain call removes an override; one with parameters sets it, after the handshake."""
    unknown = set(body) - {"override_callback_uri", "verify_token", "access_token"}
    if unknown:
        raise GraphError(100, f'Unexpected key "{min(unknown)}" on param "body".')
    account.override = _verified(body) if body.get("override_callback_uri") else None
    account.subscribed = True
    current().events.changed("settings")
    return ProviderAnswer({"success": True})


def unsubscribe(account: Waba) -> ProviderAnswer:
    account.subscribed, account.override = False, None
    current().events.changed("settings")
    return ProviderAnswer({"success": True})


def _configure_webhook(number: Number, body: dict[str, Any]) -> ProviderAnswer:
    settings = body.get("webhook_configuration")
    if not isinstance(settings, dict) or set(settings) - {"override_callback_uri", "verify_token"}:
        raise GraphError(100, "webhook_configuration with override_callback_uri and verify_token is required.")
    number.override = _verified(settings) if settings.get("override_callback_uri") else None
    current().events.changed("settings")
    return ProviderAnswer({"success": True})


def _verified(settings: dict[str, Any]) -> str:
    url = str(settings["override_callback_uri"])
    if len(url) > URL_LENGTH:
        raise GraphError(100, f"Param override_callback_uri must be at most {URL_LENGTH} characters long.")
    problem = handshake(url, str(settings.get("verify_token", "")))
    if problem:
        raise GraphError(2200, message="(#2200) Callback verification failed with the following errors: " + problem)
    return url


def handshake(url: str, verify_token: str) -> str | None:
    """Meta's GET to a callback. Answers what went wrong; plain http is let through for loopback only."""
    if not url.startswith("https://") and not is_loopback(url):
        return "The callback must be https (the sandbox takes http from loopback addresses)."
    challenge = str(secrets.randbelow(2**31))
    try:
        answer = requests.get(
            url,
            {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token},
            timeout=10,
            allow_redirects=False,
        )
    except requests.RequestException as problem:
        return f"{type(problem).__name__}"
    if answer.status_code != 200:
        return f"HTTP Status Code = {answer.status_code}; HTTP Message = {answer.reason}"
    return None if answer.text.strip() == challenge else "The challenge was not echoed."


def is_loopback(url: str) -> bool:
    host = url.split("/")[2].rsplit("@", 1)[-1].rsplit(":", 1)[0] if url.count("/") >= 2 else ""
    return url.startswith("http://") and host in ("127.0.0.1", "localhost", "[::1]")


def debug_token() -> ProviderAnswer:
    """Takes `app_id|app_secret`, or a token of the same app."""
    accounts = current().accounts
    app = _inspecting_app(
        request.args.get("access_token", "") or request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    )
    if app is None:
        raise GraphError(190, message="Invalid OAuth access token signature.")
    token = request.args.get("input_token", "")
    if not token:
        raise GraphError(100, message="(#100) The parameter input_token is required")
    numbers = [each for each in accounts.by_token.get(token, []) if each.app_id == app.app_id]
    if not numbers:
        return ProviderAnswer({"data": _invalid("Invalid OAuth access token - Cannot parse access token")})
    return ProviderAnswer({"data": _token_data(app, numbers, token)})


def _inspecting_app(credential: str) -> App | None:
    accounts = current().accounts
    app_id, _, secret = credential.partition("|")
    app = accounts.apps.get(app_id)
    if secret:
        return app if app is not None and secrets.compare_digest(secret, app.app_secret) else None
    numbers = accounts.by_token.get(credential)
    return accounts.apps[numbers[0].app_id] if numbers and not accounts.token(credential).expired else None


def _invalid(message: str) -> dict[str, Any]:
    return {"is_valid": False, "scopes": [], "error": {"code": 190, "message": message}}


def _token_data(app: App, numbers: list[Number], value: str) -> dict[str, Any]:
    world = current()
    token = world.accounts.token(value)
    made_to_expire = world.meta_faults.token_expired is not None and value in world.expired_meta_tokens
    expired = made_to_expire or token.expired
    scopes = token.scopes
    targets = sorted({each.waba_id for each in numbers})
    gone = {"error": {"code": 190, "subcode": 463, "message": "Session has expired"}} if expired else {}
    return gone | {
        "app_id": app.app_id,
        "type": "SYSTEM_USER",
        "application": "Relay",
        "is_valid": not expired,
        "expires_at": token.expires_at,
        "data_access_expires_at": token.data_access_expires_at,
        "issued_at": 1760000000,
        "scopes": scopes,
        "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in scopes],
        "user_id": "120000000000001",
    }


def _select(fields: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    unknown = [each for each in wanted if each != "id" and each not in fields]
    if unknown:
        raise GraphError(
            100,
            message=f"(#100) Tried accessing nonexisting field ({unknown[0]}) on node type "
            "(WhatsAppBusinessPhoneNumber)",
        )
    return {name: fields[name] for name in wanted if name in fields and fields[name] is not None}


def _number_fields(number: Number) -> dict[str, Any]:
    accounts = current().accounts
    urls = {
        "application": accounts.app_of(number).callback_url,
        "whatsapp_business_account": accounts.wabas[number.waba_id].override,
        "phone_number": number.override,
    }
    return {
        "verified_name": number.verified_name,
        "display_phone_number": number.display_phone_number,
        "quality_rating": "GREEN",
        "throughput": {"level": "STANDARD"},
        "platform_type": "CLOUD_API",
        "is_on_biz_app": number.is_on_biz_app,
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "status": "CONNECTED",
        "account_mode": "LIVE",
        "messaging_limit_tier": "TIER_100K",
        "is_official_business_account": False,
        "whatsapp_business_manager_messaging_limit": "TIER_100K",
        "health_status": _health(number.phone_number_id, "PHONE_NUMBER"),
        "webhook_configuration": {name: url for name, url in urls.items() if url},
    }


def _health(node_id: str, kind: str) -> dict[str, Any]:
    return {
        "can_send_message": "AVAILABLE",
        "entities": [{"entity_type": kind, "id": node_id, "can_send_message": "AVAILABLE"}],
    }
