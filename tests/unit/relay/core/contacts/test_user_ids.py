"""What a user id of WhatsApp looks like, to whoever has to tell it from a phone number."""

import pytest

from relay.core.contacts.user_ids import begins_like_one, is_user_id


@pytest.mark.parametrize("name", ["US.13491208655302741918", "DE.ENT.1", "de.1", "AE.QACUSTOMERA", "US." + "1" * 128])
def test_a_user_id(name: str) -> None:
    assert is_user_id(name)
    assert begins_like_one(name)


@pytest.mark.parametrize(
    "name", ["4915112345678", "+49.151", "", "US.", "jo.doe@example.com", "US.1 2", "US." + "1" * 129]
)
def test_what_nobody_may_name_as_one(name: str) -> None:
    assert not is_user_id(name)


def test_an_id_in_new_characters_is_still_no_number() -> None:
    assert begins_like_one("US.13-49")
    assert not begins_like_one("49.151")
