"""The kinds of conditions: what each is called, what it means, what to do, and on which page to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """`title` goes on after the line's or the side's name; `page` is a page of the tenant's portal.

    `ends`: whether its end is told as well. What has happened for good has none.
    """

    title: str
    meaning: str
    advice: str
    page: str
    ends: bool = True


@dataclass(frozen=True, slots=True)
class SeenCondition:
    """One that holds now. `subject` tells those of a kind and line apart; `detail` says more, for people."""

    kind: str
    line_id: str | None
    subject: str
    detail: str = ""

    @property
    def key(self) -> tuple[str, str | None, str]:
        return self.kind, self.line_id, self.subject


KINDS: Mapping[str, ConditionKind] = {
    "line_released": ConditionKind(
        "the line was released",
        "No webhook finds it any more; what still waited on it was given up.",
        "If that was not meant, set it up again, or ask the operator: the audit log says who released it.",
        "lines",
        ends=False,
    ),
    "line_disputed": ConditionKind(
        "somebody else has proved the number or the integration to be theirs",
        "The credentials of this line are refused. Without valid ones it goes over to the other tenant in a day.",
        "Enter valid credentials in the set-up at once.",
        "setup",
    ),
    "line_refused": ConditionKind(
        "a check of the line was refused",
        "Messages may not get through, in one direction or both.",
        "Open Checks: each finding says what to do.",
        "checks",
    ),
    "credentials_refused": ConditionKind(
        "the provider refuses the credentials",
        "Nothing goes to that side. Everything is kept, and goes on in order when valid ones are entered.",
        "Enter valid credentials in the set-up.",
        "setup",
    ),
    "credentials_expiring": ConditionKind(
        "the access token ends soon",
        "From then on nothing goes to that side, until another one is entered.",
        "Generate one that never expires, and enter it in the set-up.",
        "setup",
    ),
    "number_quality": ConditionKind(
        "WhatsApp limits the number, or rates its quality low",
        "Customers block or report it. WhatsApp may refuse templates, or messages altogether.",
        "Send fewer messages that nobody asked for, and look at the number in WhatsApp Manager.",
        "checks",
    ),
    "number_limit": ConditionKind(
        "the messaging limit has fallen",
        "Fewer people a day may be written to outside the 24-hour window. Answers go on.",
        "Send fewer templates, and look at the limit in WhatsApp Manager.",
        "checks",
    ),
    "template_paused": ConditionKind(
        "paused or disabled by Meta",
        "Messages that use it are refused.",
        "Use another template, or change this one in WhatsApp Manager.",
        "templates",
    ),
    "backlog": ConditionKind(
        "messages wait for long",
        "They are kept and go in order as soon as they can.",
        "Open the dashboard: it says for each side of a line why something waits.",
        "dashboard",
    ),
    "dead_letters": ConditionKind(
        "messages were given up",
        "They will not be sent unless somebody sends them again.",
        "Open Dead letters: they say why, and can be sent again there.",
        "dead-letters",
    ),
}
