"""`/control/templates`: what Meta does with a template, and tells by its webhooks."""

from flask import Blueprint, Response, jsonify

from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.meta.approved import ApprovedTemplate
from sandbox.meta.template_news import TemplateChange, change
from sandbox.world_access import current

blueprint = Blueprint("control_templates", __name__, url_prefix="/control/templates")
errors.register(blueprint)


@blueprint.post("")
def put() -> Response:
    told = TemplateChange.model_validate(forms.body())
    number = current().accounts.numbers.get(told.phone_number_id)
    if number is None:
        raise ControlError("there is no such number", 404)
    wanted = (told.name, told.language)
    found = next((each for each in number.templates if (each["name"], each["language"]) == wanted), None)
    if found is None:
        raise ControlError("the number has no such template", 404)
    ApprovedTemplate.model_validate(found | ({"status": told.status} if told.status else {}))
    return jsonify(webhooks=change(number, found, told))
