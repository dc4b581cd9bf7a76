"""The pages of departures."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import Flask

from db.tenants import deletions
from tests.integration.rows import new_line
from tests.portal.client import Person
from tests.portal.conftest import new_user
from tests.portal.rows import House


def test_the_operator_closes_a_tenant_by_its_name_and_takes_it_back_or_deletes_it(app: Flask, house: House) -> None:
    new_user(house.pool, "op-departures@relay.example", "operator")
    operator = Person(app, "op-departures@relay.example")
    name, line_id = f"Leaving {uuid4().hex}", new_line(house.pool)
    with house.pool.transaction() as cursor:
        cursor.execute(
            "UPDATE tenants SET name = %s WHERE id = (SELECT tenant_id FROM lines WHERE id = %s) RETURNING id::text",
            (name, line_id),
        )
        tenant_id = cursor.fetchone()[0]
    form = {"name": name, "days": "30", "sure": "y"}
    assert "Tick this" in operator.post("/portal/departures", {**form, "sure": ""}, 400)
    assert "No tenant is called so" in operator.post("/portal/departures", {**form, "name": "nobody"}, 400)
    page = operator.post("/portal/departures", form)
    shown = operator.get(page)
    assert name in shown
    assert "Delete it at once" in shown
    [row] = re.findall(rf">{name}<.*?</tr>", operator.get("/portal/tenants"), re.DOTALL)
    assert "Closed" in row
    operator.post(f"{page}/back", form_on=page)
    assert "The tenant stays" in operator.get("/portal/departures")

    operator.post("/portal/departures", form)
    assert "not the tenant" in operator.post(f"{page}/deletion", {"typed": "another"}, 400, form_on=page)
    operator.post(f"{page}/deletion", {"typed": name}, form_on=page)
    with house.pool.transaction() as cursor:
        cursor.execute(
            "UPDATE tenant_deletions SET begun_at = now(), stage = 'rows' WHERE tenant_id = %s", (tenant_id,)
        )
    assert "All other rows are being deleted" in operator.get(page)
    operator.post(f"{page}/back", form_on=page)
    assert "cannot be taken back" in operator.get(page)
    assert deletions.get(house.pool, tenant_id).name == name
