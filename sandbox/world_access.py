"""The world of the app that handles this request, without importing all that the world is made of."""

from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from sandbox.world import World


def current() -> "World":
    world: World = current_app.extensions["sandbox"]
    return world
