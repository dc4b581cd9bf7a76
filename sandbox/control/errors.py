"""What the control interface answers when a request makes no sense."""

from flask import Blueprint, Response, jsonify
from pydantic import ValidationError


class ControlError(Exception):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def register(blueprint: Blueprint) -> None:
    @blueprint.errorhandler(ControlError)
    def refused(error: ControlError) -> tuple[Response, int]:
        return jsonify(error=str(error)), error.status

    @blueprint.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> tuple[Response, int]:
        first = error.errors()[0]
        return jsonify(error=f"{'.'.join(map(str, first['loc']))}: {first['msg']}"), 400
