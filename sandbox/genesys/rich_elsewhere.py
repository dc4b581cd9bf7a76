"""Contents that Genesys has for other messengers and that may reach an Open integration all the same.

Source: SDK models ConversationContentForm, ...InteractiveApplication, ...PaymentRequest, ...Push.
"""

# Field names are the provider's own.
# ruff: noqa: N815

from typing import Annotated, Any, Literal

from pydantic import Field

from sandbox.genesys.models import Filled, GenesysModel, Url
from sandbox.genesys.rich import Bubble, DatePicker, ListPicker


class Introduction(GenesysModel):
    title: str | None = None
    subtitle: str | None = None
    imageUrl: Url | None = None
    buttonText: str | None = None


class Input(GenesysModel):
    id: str | None = None
    title: str | None = None
    subtitle: str | None = None
    placeholderText: str | None = None
    isRequired: bool | None = None


class FormComponent(GenesysModel):
    formComponentType: Literal["ListPicker", "DatePicker", "WheelPicker", "Input"]
    datePicker: DatePicker | None = None
    wheelPicker: dict[str, Any] | None = None
    listPicker: ListPicker | None = None
    input: Input | None = None


class FormPage(GenesysModel):
    title: str | None = None
    subtitle: str | None = None
    pageComponents: Annotated[list[FormComponent], Field(min_length=1)]


class Form(GenesysModel):
    introduction: Introduction | None = None
    formPages: Annotated[list[FormPage], Field(min_length=1)]
    receivedMessage: Bubble | None = None
    replyMessage: Bubble | None = None
    showSummary: bool | None = None
    cannedResponseId: str | None = None


class InteractiveApplication(GenesysModel):
    name: Filled
    url: Url
    receivedMessage: Bubble | None = None
    replyMessage: Bubble | None = None


class LineItem(GenesysModel):
    name: Filled
    price: float
    description: str | None = None
    identifier: str | None = None


class PaymentRequest(GenesysModel):
    paymentPlatform: Literal["ApplePay"]
    countryCode: Filled
    currencyCode: Filled
    orderTotal: float
    lineItems: Annotated[list[LineItem], Field(min_length=1)]
    shippingOptions: tuple[LineItem, ...] = ()
    receivedMessage: Bubble | None = None
    replyMessage: Bubble | None = None


class PushLabel(GenesysModel):
    title: str | None = None
    body: str | None = None


class Push(GenesysModel):
    deviceType: Literal["Android", "IOS"]
    notificationMessage: PushLabel
    expiration: int | None = None
