"""The pages of erasures."""

from __future__ import annotations

from tests.portal.client import Person
from tests.portal.rows import House


def test_an_admin_erases_a_person_and_is_led_to_its_page(house: House, admin: Person) -> None:
    page = f"{house.path}/erasures"
    assert "Nobody has been erased" in admin.get(page)
    assert "Tick this" in admin.post(page, {"contact": "+49 151 10003000"}, 400)
    assert "phone number with country code" in admin.post(page, {"contact": "somebody", "sure": "y"}, 400)
    shown = admin.get(admin.post(page, {"contact": "+49 151 10003000", "sure": "y"}))
    assert "An erasure under way" in shown
    assert "10003000" not in shown
    assert "The conversation has stopped" in admin.get(page)
