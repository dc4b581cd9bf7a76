"""Everything the sandbox knows, in one place: built once per app, reset by the control interface."""

from collections import Counter
from typing import Any

from sandbox.blobs import BlobStore
from sandbox.bounded import BoundedDict
from sandbox.demo_accounts import demo_accounts
from sandbox.events import Events
from sandbox.faults import Dice, GenesysFaults, MetaFaults
from sandbox.genesys.desk import Desk
from sandbox.genesys.event_channels import NotificationChannels
from sandbox.genesys.payloads import render as render_genesys
from sandbox.genesys.tokens import IssuedTokens
from sandbox.journal import Journal
from sandbox.limits import Buckets, ProviderLimits, Windows
from sandbox.meta.billing import ChargedCounts
from sandbox.meta.media import MediaStore
from sandbox.meta.payloads import envelope
from sandbox.meta.phones import Phones
from sandbox.meta.routing.settings import RoutingTable
from sandbox.stats import Stats
from sandbox.webhooks.delivery import GENESYS_RETRIES, META_RETRIES
from sandbox.webhooks.outbox import Outbox, sign_base64, sign_hex
from sandbox.webhooks.update import WebhookUpdate

AUTHENTICATOR_ACCOUNTS = 20


class World:
    def __init__(self, url: str) -> None:
        self.url = url
        self.accounts = demo_accounts()
        self.authenticator: BoundedDict[str, str] = BoundedDict(AUTHENTICATOR_ACCOUNTS)
        self.events = Events()
        self.blobs = BlobStore()
        self.tokens = IssuedTokens()
        self.channels = NotificationChannels()
        self.meta_faults = MetaFaults()
        self.genesys_faults = GenesysFaults()
        self.expired_meta_tokens: set[str] = set()
        self.meta_dice, self.genesys_dice = Dice(), Dice()
        self.meta_outbox = Outbox(
            envelope,
            sign_hex,
            META_RETRIES,
            self.meta_dice,
            lambda: self.meta_faults,
            lambda: self.stats.meta.webhooks,
            self._changed,
        )
        self.genesys_outbox = Outbox(
            render_genesys,
            sign_base64,
            GENESYS_RETRIES,
            self.genesys_dice,
            lambda: self.genesys_faults,
            lambda: self.stats.genesys.webhooks,
            self._changed,
        )
        self._fresh()

    def _fresh(self) -> None:
        self.stats = Stats()
        self.journal = Journal()
        self.limits = ProviderLimits()
        self.buckets = Buckets()
        self.windows = Windows()
        self.media = MediaStore()
        self.billing = ChargedCounts()
        self.phones = Phones()
        self.routing = RoutingTable()
        self.desk = Desk()

    def reset(self, keep: list[str]) -> None:
        limits = self.limits
        self.meta_outbox.clear()
        self.genesys_outbox.clear()
        self.blobs.clear()
        self.channels.clear()
        self._fresh()
        if "limits" in keep:
            self.limits = limits
        if "faults" not in keep:
            self.clear_faults()
        self.events.changed("settings")

    def clear_faults(self) -> None:
        self.set_faults("meta", MetaFaults())
        self.set_faults("genesys", GenesysFaults())

    def set_faults(self, side: str, faults: Any) -> None:
        if side == "meta":
            self.meta_faults = faults
            if not faults.token_expired:
                self.expired_meta_tokens = set()
        else:
            self.genesys_faults = faults

    def expire_tokens(self, side: str) -> None:
        """What has been handed out so far is worthless from now on."""
        if side == "meta":
            self.expired_meta_tokens = set(self.accounts.by_token)
        else:
            self.tokens.revoke_all()

    def faults(self, side: str) -> Any:
        return self.meta_faults if side == "meta" else self.genesys_faults

    def dice(self, side: str) -> Dice:
        return self.meta_dice if side == "meta" else self.genesys_dice

    def webhook_counts(self, side: str) -> Counter[str]:
        return self.stats.side(side).webhooks

    def _changed(self, update: WebhookUpdate) -> None:
        """The page shows what became of a webhook; the conversation's key starts with line and contact."""
        line, contact = update.conversation.split("|")[:2]
        self.events.changed("phone" if update.callback.side == "meta" else "agent", contact, line)
