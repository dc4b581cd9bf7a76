"""Who calls, and what they may touch: a foreign object looks like one that does not exist."""

from typing import TYPE_CHECKING

from flask import request

from sandbox.accounts import Number
from sandbox.meta.errors import GraphError, not_visible
from sandbox.world_access import current

if TYPE_CHECKING:
    from sandbox.accounts import Waba

MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"


def presented_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.args.get("access_token", "")


def numbers_of_caller() -> list[Number]:
    world, token = current(), presented_token()
    if not token:
        raise GraphError(
            190, message="An active access token must be used to query information about the current user."
        )
    numbers = world.accounts.by_token.get(token)
    if not numbers:
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
    expired = world.meta_faults.token_expired
    if world.accounts.token(token).expired:
        raise GraphError(190, subcode=463, message="Error validating access token: Session has expired")
    if expired == "for_good" or (expired and token in world.expired_meta_tokens):
        raise GraphError(190, subcode=463, message="Error validating access token: Session has expired")
    return numbers


def number(phone_number_id: str, *scopes: str) -> Number:
    for each in numbers_of_caller():
        if each.phone_number_id == phone_number_id:
            _require(*scopes)
            return each
    raise not_visible(phone_number_id, request.method)


def waba(waba_id: str) -> "Waba":
    for each in numbers_of_caller():
        if each.waba_id == waba_id:
            _require(MANAGEMENT)
            return current().accounts.wabas[waba_id]
    raise not_visible(waba_id, request.method)


def _require(*scopes: str) -> None:
    """One of them is enough."""
    if not set(scopes) & set(current().accounts.token(presented_token()).scopes):
        raise GraphError(
            200,
            f"{scopes[0]} is missing on the token.",
            message="(#200) You do not have the necessary permissions required to send messages on behalf "
            "of this WhatsApp Business Account",
        )
