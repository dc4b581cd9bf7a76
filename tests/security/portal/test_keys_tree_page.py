"""Nobody revokes a key, or disables a person, without having been shown what ends with them."""

from __future__ import annotations

import pytest

from db.access import api_keys, users
from db.access.api_keys import ApiKey
from db.access.lineage import Maker
from db.audit import Author
from tests.portal.client import Person
from tests.portal.conftest import new_user
from tests.portal.rows import House

GIVING = ["access:write", "messages:read"]


@pytest.fixture
def tree(house: House) -> list[ApiKey]:
    """A person's key, two made with it, one made with the first of these, and somebody invited with that."""
    ada = new_user(house.pool, f"{len(users.everyone(house.pool))}@nordwind.example", "admin", house.tenant_id)
    top = made(house, Maker("user", ada.id, ada.rights_version), "Shop")
    left, right = (made(house, Maker("key", top.id, generation=1), name) for name in ("Till", "Stock"))
    lowest = made(house, Maker("key", left.id, generation=2), "Printer")
    by = Author("key Printer", maker=Maker("key", lowest.id))
    users.create(house.pool, by, house.tenant_id, f"guest-{lowest.id}@x.example", "Guest", "viewer", "x")
    return [top, left, lowest, right]


def made(house: House, maker: Maker, name: str) -> ApiKey:
    return api_keys.create(house.pool, Author("test", maker=maker), house.tenant_id, name, GIVING, None)[0]


def test_the_question_names_all_that_ends_in_the_order_of_the_tree(
    admin: Person, house: House, tree: list[ApiKey]
) -> None:
    assert [one.id for one in api_keys.below(house.pool, tree[0].id)] == [one.id for one in tree[1:]]
    page = admin.get(f"{house.path}/keys/{tree[0].id}/revoke")
    assert "and 3 made with it" in page
    places = [page.index(f">{one.name}<") for one in tree[1:]]
    assert places == sorted(places)
    assert "Guest" in page
    after = admin.follow(f"{house.path}/keys/{tree[0].id}/revoke", {})
    assert "With it ended 3 keys made with it." in after
    held = {one.id: one for one in api_keys.listed(house.pool, house.tenant_id)}
    assert all(held[one.id].revoked_at is not None for one in tree)


def test_the_page_of_a_person_names_the_keys_that_end_with_them(
    admin: Person, house: House, tree: list[ApiKey]
) -> None:
    [person] = [one for one in users.everyone(house.pool) if api_keys.of_user(house.pool, one.id)]
    page = admin.get(f"{house.path}/users/{person.id}")
    assert all(f">{one.name}<" in page for one in tree)


def test_a_key_whose_maker_is_gone_is_not_shown_as_one_that_opens(
    admin: Person, house: House, tree: list[ApiKey]
) -> None:
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE api_keys SET expires_at = now() WHERE id = %s", (tree[0].id,))
    page = admin.get(f"{house.path}/keys")
    assert page.count("Ended with its maker") == 3
