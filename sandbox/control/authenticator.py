"""`/control/authenticator`: the app of the demo's people, so that nobody needs a phone to try the relay."""

import time
from typing import Any

import pyotp
from flask import Blueprint, Response, jsonify

from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.world_access import current

blueprint = Blueprint("control_authenticator", __name__, url_prefix="/control/authenticator")
errors.register(blueprint)


@blueprint.get("")
def listed() -> Response:
    return jsonify(codes=codes())


@blueprint.post("")
def put() -> Response:
    """What a person does by scanning the picture of the portal."""
    fields = forms.body()
    name, secret = forms.required(fields, "name"), forms.required(fields, "secret")
    try:
        pyotp.TOTP(secret).now()
    except ValueError:
        raise ControlError("secret is not base32") from None
    current().authenticator[name] = secret
    return jsonify(codes=codes())


def codes() -> list[dict[str, Any]]:
    """Each account's code of this moment; a new one comes in `seconds`."""
    return [
        {"name": name, "secret": secret, "code": pyotp.TOTP(secret).now(), "seconds": 30 - int(time.time()) % 30}
        for name, secret in current().authenticator.items()
    ]
