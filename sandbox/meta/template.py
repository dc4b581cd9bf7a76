"""Approved templates of a number: existence, language and parameter count are checked, as Meta does at once."""

import re

from sandbox.accounts import Number
from sandbox.meta.errors import GraphError
from sandbox.meta.requests import Template


def check_template(number: Number, template: Template | None) -> None:
    assert template is not None
    body = _body(number, template)
    if body is None:
        raise GraphError(132001, f"template name ({template.name}) does not exist in {template.language.code}")
    given, expected = _parameters(template), set(re.findall(r"\{\{(\w+)\}\}", body))
    if len(given) != len(expected):
        raise GraphError(
            132000,
            f"body: number of localizable_params ({len(given)}) does not match the expected number "
            f"of params ({len(expected)})",
        )
    if any(re.search(r"[\n\t]| {4,}", each) for each in given):
        raise GraphError(
            132012, "body: parameters cannot have new-line/tab characters or more than 4 consecutive spaces"
        )


def rendered(number: Number, template: Template) -> str:
    text = _body(number, template) or ""
    for value, placeholder in zip(_parameters(template), re.findall(r"\{\{\w+\}\}", text), strict=False):
        text = text.replace(placeholder, value)
    return text


def _body(number: Number, template: Template) -> str | None:
    return next(
        (
            each["body"]
            for each in number.templates
            if (each["name"], each["language"]) == (template.name, template.language.code)
        ),
        None,
    )


def _parameters(template: Template) -> list[str]:
    return [
        str(each.get("text", ""))
        for component in template.components
        if component.type.lower() == "body"
        for each in component.parameters
    ]
