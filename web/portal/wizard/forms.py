"""What the set-up asks for. Every field is held to the rule that the API has for it.

A secret never travels back to the browser: left empty, it stays what it is.
"""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from pydantic import SecretStr, TypeAdapter, ValidationError
from wtforms import Field, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional
from wtforms.validators import ValidationError as FieldError

from relay.checks.line_checks import REF, Side
from relay.core.languages import DEFAULT, LANGUAGES
from web.api.tenants.schemas import REGIONS, Name, ProviderId, Region, Secret
from web.portal.frame.language import _, _l, offered, translated
from web.request import wording

WHERE = {
    "us-east-1": _l("Americas (US East)"),
    "us-east-2": _l("FedRAMP (US East 2)"),
    "us-west-2": _l("Americas (US West)"),
    "ca-central-1": _l("Canada"),
    "mx-central-1": _l("Mexico"),
    "sa-east-1": _l("São Paulo"),
    "eu-west-1": _l("Dublin"),
    "eu-west-2": _l("London"),
    "eu-central-1": _l("Frankfurt"),
    "eu-central-2": _l("Zurich"),
    "eusc-de-east-1": _l("European Sovereign Cloud"),
    "me-central-1": _l("UAE"),
    "ap-south-1": _l("Mumbai"),
    "ap-northeast-1": _l("Tokyo"),
    "ap-northeast-2": _l("Seoul"),
    "ap-northeast-3": _l("Osaka"),
    "ap-southeast-1": _l("Singapore"),
    "ap-southeast-2": _l("Sydney"),
}


def _regions() -> dict[str, str]:
    return {"": _("Choose the region"), **{domain: f"{WHERE[key]}: {domain}" for key, domain in REGIONS.items()}}


class AcceptedBy:
    """Valid is what the API takes as well. Its words never repeat the value."""

    def __init__(self, kind: Any) -> None:
        self._adapter = TypeAdapter(kind)

    def __call__(self, _form: FlaskForm, field: Field) -> None:
        try:
            self._adapter.validate_python(field.data)
        except ValidationError as error:
            raise FieldError(
                _("This %(mistake)s.", mistake=translated(wording.words(error.errors(include_url=False)[0])))
            ) from None


def stripped(value: Any) -> Any:
    """Pasted with blanks or a line's end around it."""
    return value.strip() if isinstance(value, str) else value


def text(label: str, kind: Any, help_text: str = "", **keywords: Any) -> StringField:
    return StringField(label, [Optional(), AcceptedBy(kind)], [stripped], help_text, **keywords)


def secret(label: str, help_text: str = "", *more: Any) -> PasswordField:
    return PasswordField(label, [Optional(), AcceptedBy(Secret), *more], [stripped], help_text)


class OrganisationForm(FlaskForm):
    name = StringField(
        _l("Name"),
        [DataRequired(_l("Give the organisation a name.")), AcceptedBy(Name)],
        [stripped],
        _l("As people here should see it: the company, or the brand."),
    )
    contact = StringField(
        _l("Contact (optional)"),
        [Optional(), Length(max=200)],
        [stripped],
        _l("Whom to ask about this connection: a name, an address, a phone number."),
    )
    language = SelectField(
        _l("Language"),
        choices=LANGUAGES,
        default=DEFAULT,
        description=_l("Of these pages for whoever has not chosen their own."),
    )


class SideForm(FlaskForm):
    """One provider's credentials. `choice` names one of the numbers or integrations that the account has."""

    choice = SelectField(_l("Choose"), [Optional()], validate_choice=False)

    def given(self, side: Side, former: str | None) -> dict[str, str]:
        """What was typed and is valid, by the names that credentials have; `former` is the id that counted before."""
        held = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.data.items()
            if value and name not in ("csrf_token", "choice", "app", "name") and not self[name].errors
        }
        # What was typed beside the list is meant, unless the field only shows what was there before.
        typed = held.get(REF[side]) not in (None, former)
        return {**held, REF[side]: self.choice.data} if self.choice.data and not typed else held


class GenesysForm(SideForm):
    region = SelectField(
        _l("Region"),
        [Optional(), AcceptedBy(Region)],
        choices=_regions,
        description=_l("The end of the address at which you log in: apps.mypurecloud.de means mypurecloud.de."),
    )
    client_id = text(_l("Client ID"), ProviderId)
    client_secret = secret(_l("Client secret"))
    login_client_id = text(_l("Client ID of the log-in client"), ProviderId)
    login_client_secret = secret(_l("Client secret of the log-in client"))
    integration_id = text(
        _l("Integration ID"), ProviderId, _l("The last part of the address when the integration is open.")
    )
    webhook_secret = secret(
        _l("Webhook secret"),
        _l("Genesys signs every message with it (Outbound Notification Webhook Signature Secret Token)."),
        Length(min=16, message=_l("Genesys takes 16 characters or more.")),
    )


class WhatsAppForm(SideForm):
    waba_id = text(
        _l("WhatsApp Business Account ID"),
        ProviderId,
        _l("In the WhatsApp Manager under Settings, or in your app under WhatsApp > API Setup."),
    )
    access_token = secret(
        _l("Access token"),
        _l(
            "Of a system user, without an end: Meta's Business settings > Users > System users > Generate token, with "
            "whatsapp_business_messaging and whatsapp_business_management."
        ),
    )
    phone_number_id = text(
        _l("Phone number ID"), ProviderId, _l("Not the number itself: its ID, from WhatsApp > API Setup in your app.")
    )
    app = RadioField(
        _l("Whose Meta app is it?"),
        [Optional()],
        choices=offered({"own": _l("Our own Meta app"), "platform": _l("The Meta app of this platform")}),
    )
    app_secret = secret(_l("App secret"), _l("In your app at developers.facebook.com under App settings > Basic."))
    verify_token = secret(_l("Verify token"), _l("Any text that you enter at Meta together with the callback URL."))


FORMS: dict[Side, type[SideForm]] = {"genesys": GenesysForm, "whatsapp": WhatsAppForm}
