"""The page on which a tenant chooses for how long what is kept."""

from __future__ import annotations

from tests.portal.client import Person
from tests.portal.rows import House


def test_an_admin_chooses_and_a_wrong_number_is_told_beside_its_field(house: House, admin: Person) -> None:
    page = f"{house.path}/retention"
    assert "8 to 3650; empty: 365" in admin.get(page)
    seen = admin.post(page, {"contents": "7"}, 400)
    assert "contents may be 8 to 3650 days here" in seen.replace("Contents may", "contents may")
    admin.post(page, {"contents": "30", "history": "60"})
    assert 'value="30"' in admin.get(page)
    admin.post(page, {"contents": "", "history": ""})
    assert 'value="30"' not in admin.get(page)
