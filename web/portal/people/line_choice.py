"""Which lines somebody is for, as a part of the forms about people."""

from __future__ import annotations

from collections.abc import Collection

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectMultipleField, ValidationError

from db.access.line_rights import LineIds
from web.portal.frame.language import _, _l, offered
from web.portal.frame.page_owner import PageOwner
from web.portal.lines.line_names import line_names


class LineChoice(FlaskForm):
    """`reach` says all or some, `lines` which. An operator is for all, and is asked nothing."""

    reach = RadioField(
        _l("Lines"),
        choices=offered({"all": _l("All lines, and what is the tenant's as a whole"), "some": _l("Only these lines:")}),
        validate_choice=False,
    )
    lines = SelectMultipleField(_l("These lines"), validate_choice=False)

    def offer(self, where: PageOwner, known: LineIds = None) -> None:
        """Lines that are gone stay on offer to whoever has them."""
        names = line_names() if where.tenant_id is not None else {}
        self.lines.choices = names | {one: one for one in known or () if one not in names}

    def fill(self, known: LineIds) -> None:
        self.reach.data = "all" if known is None else "some"
        self.lines.data = list(known or ())

    def validate_reach(self, field: RadioField) -> None:
        choices: Collection[str] = self.lines.choices or ()
        chosen = set(self.lines.data or ())
        if field.data == "some" and (not chosen or not chosen <= set(choices)):
            raise ValidationError(_("Choose at least one of these lines, or all."))

    def chosen(self, former: LineIds = None) -> LineIds:
        """None: all. What is not said stays as it was."""
        if self.reach.data == "some":
            return list(self.lines.data or ())
        return None if self.reach.data == "all" else former
