"""The businesses that the sandbox knows: WhatsApp numbers with their apps, Genesys integrations with their clients."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.demo_templates import TEMPLATES

SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"]
PERMISSIONS = [
    "analytics:conversationDetail:view",
    "conversation:message:create",
    "conversation:message:receive",
    "conversation:message:view",
    "conversation:communication:disconnect",
    "messaging:integration:view",
    "messaging:integration:add",
    "messaging:integration:edit",
    "messaging:integration:delete",
    "messaging:supportedContent:view",
    "messaging:supportedContent:add",
]
WEBHOOK_FIELDS = [
    "account_alerts",
    "account_review_update",
    "account_settings_update",
    "account_update",
    "business_capability_update",
    "business_username_updates",
    "calls",
    "consumer_profile",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "history",
    "message_echoes",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "messages",
    "messaging_handovers",
    "partner_solutions",
    "payment_configuration_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "standby",
    "template_category_update",
    "template_correct_category_detection",
    "tracking_events",
    "user_preferences",
]
GRANTS = ["client_credentials", "authorization_code"]
DEFAULT_OUTBOUND = ["image/jpeg", "image/png", "image/gif"]
"""What a new integration's agents may send: Genesys' default profile holds no documents, audio or video."""


@dataclass
class App:
    app_id: str
    app_secret: str = ""
    callback_url: str | None = None
    verify_token: str | None = None
    fields: list[str] = field(default_factory=lambda: list(WEBHOOK_FIELDS))
    """The fields of whatsapp_business_account that the app is subscribed to; of others it never hears."""


@dataclass
class Waba:
    waba_id: str
    app_id: str
    subscribed: bool = False
    override: str | None = None


@dataclass
class MetaToken:
    """How long an access token lives (Unix seconds, 0: for ever), and for what."""

    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))

    @property
    def expired(self) -> bool:
        return 0 < self.expires_at <= time.time()


@dataclass
class Number:
    phone_number_id: str
    waba_id: str
    app_id: str
    access_token: str
    display_phone_number: str = ""
    verified_name: str = ""
    override: str | None = None
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    further_tokens: list[str] = field(default_factory=list)
    """Tokens that open this number too; how long they live is in Accounts.tokens."""
    is_on_biz_app: bool = False
    """The business uses the WhatsApp Business app with it, too."""
    templates: list[dict[str, Any]] = field(default_factory=lambda: [dict(each) for each in TEMPLATES])

    @property
    def digits(self) -> str:
        return "".join(filter(str.isdigit, self.display_phone_number))


@dataclass
class OAuthClient:
    client_id: str
    client_secret: str
    organisation: str = ""
    permissions: list[str] = field(default_factory=lambda: list(PERMISSIONS))
    grants: list[str] = field(default_factory=lambda: list(GRANTS))
    events_url: str = ""
    """Where its organisation's EventBridge, or a workflow of Process Automation, posts events of conversations."""
    events_key: str = ""
    events_shape: str = "eventbridge"


@dataclass
class Profile:
    """A supported content profile that was made through the API."""

    profile_id: str
    organisation: str
    name: str
    inbound_types: list[str]
    outbound_types: list[str]


@dataclass
class Integration:
    integration_id: str
    client_id: str
    webhook_secret: str
    webhook_url: str | None = None
    name: str = ""
    webhook_headers: dict[str, str] = field(default_factory=dict)
    supported_content: str = "default"
    outbound_types: list[str] = field(default_factory=lambda: ["*/*"])
    inbound_types: list[str] = field(default_factory=lambda: ["*/*"])
    created: str = "2026-11-01T08:00:00.000Z"
    status: str = "Active"
    create_status: str = "Completed"
    ready_at: float = 0.0
    """Unix time at which its creation is over."""


class Accounts:
    """Look-ups by every id that a call may carry; none of them scans."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.wabas: dict[str, Waba] = {}
        self.numbers: dict[str, Number] = {}
        self.tokens: dict[str, MetaToken] = {}
        self.by_token: dict[str, list[Number]] = {}
        self.by_waba: dict[str, list[Number]] = {}
        self.clients: dict[str, OAuthClient] = {}
        self.integrations: dict[str, Integration] = {}
        self.profiles: dict[str, Profile] = {}
        self.lines: dict[str, str] = {}

    def put_number(self, number: Number) -> None:
        self.numbers[number.phone_number_id] = number
        waba = self.wabas.setdefault(number.waba_id, Waba(number.waba_id, number.app_id))
        waba.app_id = number.app_id
        self.apps.setdefault(number.app_id, App(number.app_id))
        self._index()

    def remove_number(self, phone_number_id: str) -> bool:
        found = self.numbers.pop(phone_number_id, None)
        self.lines.pop(phone_number_id, None)
        self._index()
        return found is not None

    def remove_integration(self, integration_id: str) -> bool:
        self.lines = {number: each for number, each in self.lines.items() if each != integration_id}
        return self.integrations.pop(integration_id, None) is not None

    def app_of(self, number: Number) -> App:
        return self.apps[number.app_id]

    def callback_of(self, number: Number) -> str | None:
        """Meta's precedence: number, then WABA, then app; and silence for a WABA that is not subscribed."""
        waba = self.wabas[number.waba_id]
        if not waba.subscribed:
            return None
        return number.override or waba.override or self.apps[number.app_id].callback_url

    def token(self, value: str) -> MetaToken:
        """One that was never described lives for ever, with the scopes of its first number."""
        numbers = self.by_token.get(value)
        return self.tokens.get(value) or MetaToken(scopes=list(numbers[0].scopes) if numbers else [])

    def _index(self) -> None:
        self.by_token, self.by_waba = {}, {}
        for number in self.numbers.values():
            for token in (number.access_token, *number.further_tokens):
                self.by_token.setdefault(token, []).append(number)
            self.by_waba.setdefault(number.waba_id, []).append(number)

    def view(self) -> dict[str, Any]:
        return {
            "whatsapp": [self.number_view(each) for each in self.numbers.values()],
            "genesys": [self.integration_view(each) for each in self.integrations.values()],
            "lines": [
                {"phone_number_id": number, "integration_id": integration} for number, integration in self.lines.items()
            ],
        }

    def number_view(self, number: Number) -> dict[str, Any]:
        app, waba = self.apps[number.app_id], self.wabas[number.waba_id]
        return {
            **asdict(number),
            "app_secret": app.app_secret,
            "verify_token": app.verify_token,
            "callback_url": app.callback_url,
            "fields": app.fields,
            "subscribed": waba.subscribed,
            "effective_callback_url": self.callback_of(number),
        }

    def integration_view(self, integration: Integration) -> dict[str, Any]:
        client = self.clients[integration.client_id]
        return {
            **asdict(integration),
            "client_secret": client.client_secret,
            "organisation": client.organisation,
            "permissions": client.permissions,
            "grants": client.grants,
            "events_url": client.events_url,
        }
