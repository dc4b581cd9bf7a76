"""What the filters above lists have in common: they are in the page's address, and change nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Length, Optional, ValidationError

from web.portal.frame.language import _
from web.request.errors import ApiError

LONGEST = 200


class FilterForm(FlaskForm):
    """Read from the address; what is wrong with it is said beside the field."""

    class Meta:
        csrf = False

    def __init__(self, **values: Any) -> None:
        super().__init__(formdata=request.args, **values)

    @property
    def chosen(self) -> dict[str, Any]:
        """What is filtered by, for the addresses of further pages."""
        return {name: value for name, value in request.args.items() if value and name in self._fields}


def without_nul(_form: FlaskForm, field: StringField) -> None:
    if "\x00" in (field.data or ""):
        raise ValidationError(_("Nothing is called that."))


def text(label: str, placeholder: str) -> StringField:
    """A search box."""
    return StringField(
        label,
        filters=[lambda value: value.strip() if value else value],
        validators=[Optional(), Length(max=LONGEST), without_nul],
        render_kw={"placeholder": placeholder, "type": "search", "maxlength": LONGEST},
    )


def before() -> str | None:
    """Where the page begins: the `next` of an earlier one."""
    return request.args.get("before") or None


def after() -> str | None:
    """The same for lists by age, whose pages begin after an id."""
    given = request.args.get("after")
    try:
        return str(UUID(given)) if given else None
    except ValueError:
        raise beyond() from None


def beyond() -> ApiError:
    """For a place in a list that it never had."""
    return ApiError(400, "invalid_request", "This page of the list is not there. Begin again at its first page.")
