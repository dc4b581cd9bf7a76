"""Supported content profiles: one for each integration, and those that were made through the API."""

# Field names are the provider's own.
# ruff: noqa: N815

from typing import Annotated, Any

from pydantic import Field

from sandbox.accounts import DEFAULT_OUTBOUND, Integration, Profile
from sandbox.gateway import ProviderAnswer
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.models import GenesysModel
from sandbox.genesys.provider import caller
from sandbox.genesys.validation import parse_plain
from sandbox.ids import conversation_id
from sandbox.world_access import current

VIEW, ADD = "messaging:supportedContent:view", "messaging:supportedContent:add"


class MediaType(GenesysModel):
    type: Annotated[str, Field(pattern=r"^[\w.+*-]+/[\w.+*-]+$")]


class Directions(GenesysModel):
    inbound: tuple[MediaType, ...] = ()
    outbound: tuple[MediaType, ...] = ()


class MediaTypes(GenesysModel):
    allow: Directions


class ProfileRequest(GenesysModel):
    name: Annotated[str, Field(min_length=1)]
    mediaTypes: MediaTypes


def listed() -> ProviderAnswer:
    entities = [_view(each) for each in _known(caller(VIEW).organisation)]
    return ProviderAnswer(
        {"entities": entities, "pageSize": 25, "pageNumber": 1, "total": len(entities), "pageCount": 1}
    )


def one(profile_id: str) -> ProviderAnswer:
    organisation = caller(VIEW).organisation
    if profile_id == "default":
        return ProviderAnswer(_view(Profile("default", organisation, "Default", ["*/*"], DEFAULT_OUTBOUND)))
    for each in _known(organisation):
        if each.profile_id == profile_id:
            return ProviderAnswer(_view(each))
    raise GenesysError(404, f"No supported content profile found with id {profile_id}")


def create() -> ProviderAnswer:
    client = caller(ADD)
    body = parse_plain(ProfileRequest)
    allow = body.mediaTypes.allow
    inbound, outbound = ([each.type for each in types] for types in (allow.inbound, allow.outbound))
    made = Profile(conversation_id(), client.organisation, body.name, inbound, outbound)
    current().accounts.profiles[made.profile_id] = made
    return ProviderAnswer(_view(made))


def assign(integration: Integration, wanted: str) -> None:
    """Give the integration what a profile of its organisation lets through."""
    accounts = current().accounts
    if wanted == profile_id(integration):
        return
    found = accounts.profiles.get(wanted)
    if found is None or found.organisation != accounts.clients[integration.client_id].organisation:
        raise GenesysError(400, f"supportedContent: there is no profile {wanted}", code="invalid.value")
    integration.inbound_types, integration.outbound_types = list(found.inbound_types), list(found.outbound_types)


def profile_id(integration: Integration) -> str:
    """Not always a UUID at Genesys either."""
    return f"{integration.supported_content}-{integration.integration_id}"


def _known(organisation: str) -> list[Profile]:
    accounts = current().accounts
    own = [
        Profile(profile_id(each), organisation, f"Profile of {each.name}", each.inbound_types, each.outbound_types)
        for each in accounts.integrations.values()
        if accounts.clients[each.client_id].organisation == organisation
    ]
    return own + [each for each in accounts.profiles.values() if each.organisation == organisation]


def _view(profile: Profile) -> dict[str, Any]:
    def types(patterns: list[str]) -> list[dict[str, str]]:
        return [{"type": pattern} for pattern in patterns]

    return {
        "id": profile.profile_id,
        "name": profile.name,
        "mediaTypes": {"allow": {"inbound": types(profile.inbound_types), "outbound": types(profile.outbound_types)}},
        "selfUri": f"/api/v2/conversations/messaging/supportedcontent/{profile.profile_id}",
    }
