"""Each module has an installation of its own: its tests stop, kill, freeze, starve or overrun parts of it."""

import pytest

from tests.flow.installation import Installation


@pytest.fixture(scope="module")
def installation(own_installation: Installation) -> Installation:
    return own_installation
