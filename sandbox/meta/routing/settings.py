"""How a business has routed its conversations: per account, and where a number has its own, per number."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sandbox.accounts import Number

Responder = Literal["app", "business_agent"]
"""The business's own app, and whoever answers beside it: Meta's Business Agent."""
EntryPoint = Literal["service", "marketing", "utility", "ctwa", "calls"]
Role = Literal["customer_service", "marketing", "utility", "ctwa", "ai_agent", "escalation"]
ENTRY_POINTS: tuple[EntryPoint, ...] = get_args(EntryPoint)
ROLES: tuple[Role, ...] = get_args(Role)
APP: Responder = "app"
BUSINESS_AGENT: Responder = "business_agent"
AT_ENTRY: dict[EntryPoint, Role] = {
    "service": "customer_service",
    "marketing": "marketing",
    "utility": "utility",
    "ctwa": "ctwa",
}
"""As what the app owns a thread that began at an entry point. Calls give nobody a thread."""


def _all_primaries(given: dict[EntryPoint, Responder]) -> dict[EntryPoint, Responder]:
    return dict.fromkeys(ENTRY_POINTS, APP) | given


def _all_roles(given: dict[Role, Responder | None]) -> dict[Role, Responder | None]:
    held: dict[Role, Responder | None] = dict.fromkeys(ROLES, APP)
    return held | {"ai_agent": BUSINESS_AGENT} | given


class Routing(BaseModel):
    """Off until a business configures it, as at Meta: then the app gets every message."""

    model_config = ConfigDict(extra="forbid")
    on: bool = False
    primary: Annotated[dict[EntryPoint, Responder], AfterValidator(_all_primaries)] = Field(
        default_factory=lambda: _all_primaries({})
    )
    roles: Annotated[dict[Role, Responder | None], AfterValidator(_all_roles)] = Field(
        default_factory=lambda: _all_roles({})
    )
    standby: bool = False
    """Whether the app hears of threads that others own."""
    recap: Literal["summary", "history"] | None = "summary"
    recap_on_messages: Literal["first", "every"] | None = "first"
    not_owner: Literal["refused", "failed"] = "refused"
    """What becomes of a service message of somebody who does not own the thread: how Meta says it is not known."""
    implicit_take: bool = True
    """Whether a service message of the escalation partner takes the thread by itself."""
    signals: Literal["taken", "refused"] = "taken"
    """The same for reactions, read marks and typing."""
    enrolled: bool = True
    """Whether the account may use thread_control."""
    roles_api: bool = True

    def holder(self, role: Role) -> Responder | None:
        return self.roles[role]

    def roles_of(self, responder: Responder) -> list[Role]:
        return [role for role in ROLES if self.roles[role] == responder]

    def changed(self, fields: dict[str, Any]) -> "Routing":
        """Fields left out keep their value, and so do entry points and roles that are not named."""
        now = self.model_dump()
        merged = {
            name: now[name] | value if name in ("primary", "roles") and isinstance(value, dict) else value
            for name, value in fields.items()
        }
        return Routing.model_validate(now | merged)


class RoutingTable:
    def __init__(self) -> None:
        self.accounts: dict[str, Routing] = {}
        self.numbers: dict[str, Routing] = {}

    def of(self, number: Number) -> Routing:
        return self.numbers.get(number.phone_number_id) or self.accounts.get(number.waba_id) or Routing()

    def of_account(self, waba_id: str) -> Routing:
        return self.accounts.get(waba_id) or Routing()

    def source(self, number: Number) -> str:
        if number.phone_number_id in self.numbers:
            return "number"
        return "account" if number.waba_id in self.accounts else "default"
