"""The kinds of conditions: what each is called, what it means, what to do, and on which page to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.core.languages import phrase

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
        phrase("the line was released"),
        phrase("No webhook finds it any more; what still waited on it was given up."),
        phrase("If that was not meant, set it up again, or ask the operator: the audit log says who released it."),
        "lines",
        ends=False,
    ),
    "line_disputed": ConditionKind(
        phrase("somebody else has proved the number or the integration to be theirs"),
        phrase(
            "The credentials of this line are refused. Without valid ones it goes over to the other tenant in a day."
        ),
        phrase("Enter valid credentials in the set-up at once."),
        "setup",
    ),
    "line_refused": ConditionKind(
        phrase("a check of the line was refused"),
        phrase("Messages may not get through, in one direction or both."),
        phrase("Open Checks: each finding says what to do."),
        "checks",
    ),
    "credentials_refused": ConditionKind(
        phrase("the provider refuses the credentials"),
        phrase("Nothing goes to that side. Everything is kept, and goes on in order when valid ones are entered."),
        phrase("Enter valid credentials in the set-up."),
        "setup",
    ),
    "credentials_expiring": ConditionKind(
        phrase("the access token ends soon"),
        phrase("From then on nothing goes to that side, until another one is entered."),
        phrase("Generate one that never expires, and enter it in the set-up."),
        "setup",
    ),
    "number_quality": ConditionKind(
        phrase("WhatsApp limits the number, or rates its quality low"),
        phrase("Customers block or report it. WhatsApp may refuse templates, or messages altogether."),
        phrase("Send fewer messages that nobody asked for, and look at the number in WhatsApp Manager."),
        "checks",
    ),
    "number_limit": ConditionKind(
        phrase("the messaging limit has fallen"),
        phrase("Fewer people a day may be written to outside the 24-hour window. Answers go on."),
        phrase("Send fewer templates, and look at the limit in WhatsApp Manager."),
        "checks",
    ),
    "template_paused": ConditionKind(
        phrase("paused or disabled by Meta"),
        phrase("Messages that use it are refused."),
        phrase("Use another template, or change this one in WhatsApp Manager."),
        "templates",
    ),
    "backlog": ConditionKind(
        phrase("messages wait for long"),
        phrase("They are kept and go in order as soon as they can."),
        phrase("Open the dashboard: it says for each side of a line why something waits."),
        "dashboard",
    ),
    "visit_forced": ConditionKind(
        phrase("the operator looks in without your consent"),
        phrase(
            "It let itself in for an hour, as in an emergency, and gave the reason. The audit log has all that it does."
        ),
        phrase("Open Operator's visits: there you can end it at once."),
        "visits",
    ),
    "dead_letters": ConditionKind(
        phrase("messages were given up"),
        phrase("They will not be sent unless somebody sends them again."),
        phrase("Open Dead letters: they say why, and can be sent again there."),
        "dead-letters",
    ),
}
