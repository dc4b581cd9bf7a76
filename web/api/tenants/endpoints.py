"""Endpoints: where a tenant's own systems are told what happens; docs/events.md has what they are told."""

from __future__ import annotations

from flask import Response

from db.endpoints import log, registry
from relay.core.endpoints.event import body as posted
from relay.core.endpoints.kinds import KINDS
from web.actions import endpoints
from web.api.blueprint import behind_a_key
from web.api.tenants.endpoint_schemas import (
    EndpointChange,
    EndpointCreate,
    EndpointCreated,
    EndpointDetail,
    EndpointList,
    EndpointOut,
    EndpointPath,
    EventList,
    EventOut,
    EventPath,
    EventQuery,
    EventReplay,
    EventsReplayed,
    PostedEvent,
    PostList,
    PostOut,
    SecretRotated,
    TestSent,
)
from web.api.tenants.schemas import ErrorBody, TenantPath
from web.api.tenants.setup import known_tenant
from web.request.context import pool, reply
from web.request.errors import ApiError
from web.request.principal import by, needs, principal

api = behind_a_key("endpoints", __name__, "events out", "/api/tenants")
PATH = "/<uuid:tenant_id>/endpoints"
ONE = f"{PATH}/<uuid:endpoint_id>"


@api.get(PATH, summary="List endpoints", responses={200: EndpointList})
@needs("tenants:read")
def list_endpoints(path: TenantPath) -> Response:
    found = registry.listed(pool(), known_tenant(path).id)
    return reply(EndpointList(items=[EndpointOut.model_validate(one) for one in found]))


@api.post(PATH, summary="Name an endpoint", responses={201: EndpointCreated, 409: ErrorBody})
@needs("tenants:write")
def create_endpoint(path: TenantPath, body: EndpointCreate) -> Response:
    """It is told from now on. The secret stands in this answer only."""
    tenant = known_tenant(path)
    _may_be_told(body.contents)
    made, secret = endpoints.create(
        pool(), tenant.id, body.url, body.name or "", body.kinds or list(KINDS), body.contents
    )
    shown = EndpointOut.model_validate(made).model_dump()
    return reply(EndpointCreated(**shown, secret=secret), 201)


@api.get(ONE, summary="An endpoint, and what waits for it", responses={200: EndpointDetail})
@needs("tenants:read")
def get_endpoint(path: EndpointPath) -> Response:
    found = registry.get(pool(), known_tenant(path).id, str(path.endpoint_id))
    shown = EndpointOut.model_validate(found).model_dump()
    counted = log.counts(pool(), found.id)
    return reply(EndpointDetail(**shown, waiting=counted["waiting"], dead=counted["dead"]))


@api.patch(ONE, summary="Change an endpoint, switch it on or off", responses={200: EndpointOut})
@needs("tenants:write")
def change_endpoint(path: EndpointPath, body: EndpointChange) -> Response:
    """It counts within half a minute."""
    values = body.model_dump(exclude_none=True)
    _may_be_told(registry.get(pool(), known_tenant(path).id, str(path.endpoint_id)).contents or bool(body.contents))
    found = endpoints.change(pool(), known_tenant(path).id, str(path.endpoint_id), values)
    return reply(EndpointOut.model_validate(found))


def _may_be_told(contents: bool) -> None:
    """What people wrote goes only where somebody sends it who may see it. Raises ApiError 403."""
    if contents and not principal().may("messages:read"):
        raise ApiError(403, "forbidden", "an endpoint with contents needs the right messages:read, too")


@api.delete(ONE, summary="Delete an endpoint", responses={204: None})
@needs("tenants:write")
def delete_endpoint(path: EndpointPath) -> Response:
    registry.delete(pool(), by(), known_tenant(path).id, str(path.endpoint_id))
    return Response(status=204)


@api.post(f"{ONE}/secret", summary="Make a new secret", responses={200: SecretRotated})
@needs("tenants:write")
def rotate_secret(path: EndpointPath) -> Response:
    """For a day each event is signed with both. One that was replaced before ends at once."""
    secret, until = endpoints.rotate(pool(), known_tenant(path).id, str(path.endpoint_id))
    return reply(SecretRotated(secret=secret, former_until=until))


@api.post(f"{ONE}/test", summary="Send a test", responses={202: TestSent, 409: ErrorBody, 429: ErrorBody})
@needs("tenants:write")
def test_endpoint(path: EndpointPath) -> Response:
    """It goes the way of all events. Six a minute."""
    return reply(TestSent(event_id=endpoints.test(pool(), known_tenant(path).id, str(path.endpoint_id))), 202)


@api.get(f"{ONE}/events", summary="What an endpoint was told, the newest first", responses={200: EventList})
@needs("tenants:read")
def list_events(path: EndpointPath, query: EventQuery) -> Response:
    """`state`: delivered (7 days), waiting, or dead (30 days)."""
    found = registry.get(pool(), known_tenant(path).id, str(path.endpoint_id))
    events = log.events(pool(), found.tenant_id, found.id, query.state, query.before, query.limit)
    return reply(EventList(items=[EventOut.model_validate(one) for one in events]))


@api.get(f"{ONE}/events/<uuid:event_id>", summary="An event as it is posted", responses={200: PostedEvent})
@needs("tenants:read")
def get_event(path: EventPath) -> Response:
    """The body that is signed, but for `content`."""
    found = registry.get(pool(), known_tenant(path).id, str(path.endpoint_id))
    event = log.one(pool(), found.tenant_id, found.id, str(path.event_id))
    return Response(posted(event), content_type="application/json")


@api.get(f"{ONE}/events/<uuid:event_id>/posts", summary="How each post of an event ended", responses={200: PostList})
@needs("tenants:read")
def list_posts(path: EventPath) -> Response:
    """The newest 200, the newest first."""
    found = registry.get(pool(), known_tenant(path).id, str(path.endpoint_id))
    posts = log.posts(pool(), found.tenant_id, found.id, str(path.event_id))
    return reply(PostList(items=[PostOut.model_validate(one) for one in posts]))


@api.post(f"{ONE}/replay", summary="Tell dead letters again", responses={200: EventsReplayed})
@needs("messages:replay")
def replay_events(path: EndpointPath, body: EventReplay) -> Response:
    """For another day; in their old order, before what waits there."""
    found = registry.get(pool(), known_tenant(path).id, str(path.endpoint_id))
    ids = None if body.ids is None else [str(one) for one in body.ids]
    return reply(EventsReplayed(replayed=log.replay(pool(), by(), found.tenant_id, found.id, ids)))
