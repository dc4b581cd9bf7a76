"""Genesys' own SDK in a process of its own: it starts threads that watch files, which a patched process cannot have.

Calls come as lines of JSON, {"method", "args", "options", "model", "body"}; so do the answers.
"""

import json
import sys
from typing import Any
from urllib.parse import urlsplit

from PureCloudPlatformClientV2 import ApiClient, ConversationsApi, GatewayConfiguration, configuration
from PureCloudPlatformClientV2.rest import ApiException
from PureCloudPlatformClientV2.utils import sanitize_for_serialization


class _Received:
    """As the SDK receives an answer: so it makes its own model objects of what it is to send, too."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.data = json.dumps(body)

    def getheader(self, name: str) -> str:
        return "application/json"


def main(url: str, client_id: str, client_secret: str) -> None:
    client = _client(url).get_client_credentials_token(client_id, client_secret)
    api = ConversationsApi(client)
    for line in sys.stdin:
        print(json.dumps(_answer(client, api, json.loads(line))), flush=True)


def _client(url: str) -> Any:
    """A private gateway is how the SDK itself is pointed at another host and other paths."""
    parts = urlsplit(url)
    configuration.gateway_configuration = GatewayConfiguration(
        host=parts.hostname,
        protocol=parts.scheme,
        port=parts.port,
        path_params_login="/genesys/login",
        path_params_api="/genesys/api",
    )
    return ApiClient()


def _answer(client: Any, api: Any, call: dict[str, Any]) -> dict[str, Any]:
    body = {}
    if "model" in call:
        body["body"] = client.deserialize(_Received(call["body"]), call["model"])
    try:
        found = getattr(api, call["method"])(*call["args"], **call["options"], **body)
    except ApiException as refused:
        return {"status": refused.status, "refused": json.loads(refused.body)}
    return {"model": type(found).__name__, "value": sanitize_for_serialization(found)}


if __name__ == "__main__":
    main(*sys.argv[1:])
