"""Meta's refusals: its codes, its HTTP statuses, its error object."""

from typing import Any

from sandbox.ids import fbtrace_id
from sandbox.refusal import Refusal

CATALOGUE: dict[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    15: (400, "This method must be called with an app access_token"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Invalid OAuth access token"),
    200: (403, "You do not have the necessary permissions required to do this action"),
    368: (403, "Temporarily blocked for policies violations"),
    2200: (400, "Callback verification failed"),
    2500: (400, "Unknown path components"),
    80007: (400, "Rate limit hit"),
    130429: (400, "Rate limit hit"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    130472: (400, "User's number is part of an experiment"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Business Account locked"),
    131037: (400, "WhatsApp provided number needs display name approval before message can be sent"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131055: (400, "Method not allowed"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131060: (400, "This message is currently unavailable"),
    131062: (400, "Business-scoped user id is not supported for this message"),
    131063: (400, "Marketing templates are disabled on Cloud API for this account"),
    131064: (400, "Message failed to send because the messaging limit was reached"),
    131070: (400, "Message not sent because this responder does not own the thread"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Template hydrated text too long"),
    132007: (400, "Template format character policy violated"),
    132008: (400, "Template parameter value is not valid"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "There is an issue with the parameters in your template"),
    132068: (400, "Flow is blocked"),
    132069: (400, "Flow is throttled"),
    133000: (500, "Incomplete deregistration"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
    133015: (400, "Wait a few minutes before registering this phone number"),
    133016: (400, "Account register deregister rate limit exceeded"),
    135000: (400, "Generic user error"),
    138038: (400, "Not the primary responder for calls"),
    2494191: (400, "Thread control cannot be taken by this responder"),
}
_BY_STATUS = {401: 190, 403: 10, 429: 4, 500: 131000, 503: 2}


class GraphError(Refusal):
    """A refusal. `details` goes to error_data, where Meta's clients are told to look."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int | None = None,
        message: str | None = None,
        status: int | None = None,
    ) -> None:
        default_status, title = CATALOGUE.get(code, (400, "Something went wrong"))
        self.code, self.details, self.subcode = code, details, subcode
        self.message = message or f"(#{code}) {title}"
        super().__init__(status or default_status, f"{code} {details or self.message}")

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = fbtrace_id()
        return {"error": error}


def title(code: int) -> str:
    return CATALOGUE.get(code, (400, "Something went wrong"))[1]


def not_visible(object_id: str, method: str) -> GraphError:
    """Someone else's object looks exactly like one that does not exist."""
    return GraphError(
        100,
        subcode=33,
        message=f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation",
    )


def injected(code: int) -> GraphError:
    """A fault's code: 400 to 599 name an HTTP status, anything else a code of Meta's own."""
    if 400 <= code <= 599:
        return GraphError(_BY_STATUS.get(code, 1), "Injected by the sandbox", status=code)
    return GraphError(code, "Injected by the sandbox")
