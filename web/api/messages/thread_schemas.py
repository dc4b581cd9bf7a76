"""What the API takes and gives where a conversation is handed over."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from relay.core.threads import LONGEST_NOTE, ResponderRole, ThreadAction
from web.api.messages.sending_contents import readable
from web.api.messages.sending_schemas import SendOut
from web.api.messages.state_schemas import ThreadOut
from web.api.tenants.schemas import RequestModel
from web.request.wording import wrong

Note = Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE), AfterValidator(readable)]


class ThreadChange(RequestModel):
    """What is to become of a conversation's thread at WhatsApp."""

    action: ThreadAction
    role: ResponderRole | None = Field(None, description="to whom it is passed; left out: to the escalation partner")
    note: Note | None = Field(None, description="for whoever gets it; the contact never sees it")

    @model_validator(mode="after")
    def _to_somebody(self) -> Self:
        if self.role is not None and self.action != "pass":
            raise wrong({"role": "is for a pass alone"})
        return self


class ThreadChanged(SendOut):
    """`unknown`, and `dead` with `outcome_unknown`, mean that nobody knows whether it was done."""

    thread: ThreadOut
