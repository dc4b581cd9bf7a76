"""What a business may ask a customer for: a place, their number, leave to call, a filled-in flow."""

from typing import Annotated, Any, Literal

from pydantic import model_validator

from sandbox.meta.dialogue import Dialogue, ShortBody
from sandbox.meta.strict import Filled, MetaObject, up_to


class LocationAction(MetaObject):
    name: Literal["send_location"]


class LocationRequest(MetaObject):
    type: Literal["location_request_message"]
    body: ShortBody
    action: LocationAction


class ContactAction(MetaObject):
    name: Literal["request_contact_info"]


class ContactRequest(MetaObject):
    type: Literal["request_contact_info"]
    body: ShortBody
    action: ContactAction


class CallAction(MetaObject):
    name: Literal["call_permission_request"]


class CallRequest(MetaObject):
    type: Literal["call_permission_request"]
    body: ShortBody | None = None
    action: CallAction


class FlowPayload(MetaObject):
    screen: Filled
    data: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _filled(self) -> "FlowPayload":
        if self.data == {}:
            raise ValueError("'data' must not be empty")
        return self


class FlowParameters(MetaObject):
    flow_message_version: Literal["3"]
    flow_cta: Annotated[str, up_to(30)]
    flow_id: Filled | None = None
    flow_name: Filled | None = None
    flow_token: str | None = None
    mode: Literal["draft", "published"] | None = None
    flow_action: Literal["navigate", "data_exchange"] | None = None
    flow_action_payload: FlowPayload | None = None

    @model_validator(mode="after")
    def _one_flow(self) -> "FlowParameters":
        if (self.flow_id is None) == (self.flow_name is None):
            raise ValueError("exactly one of 'flow_id' and 'flow_name' is required")
        return self


class FlowAction(MetaObject):
    name: Literal["flow"]
    parameters: FlowParameters


class FlowMessage(Dialogue):
    type: Literal["flow"]
    action: FlowAction
