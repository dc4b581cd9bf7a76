"""What can go wrong with a log-in through a provider."""

from __future__ import annotations


class OpenIdError(Exception):
    """`code` is a short word for log and audit, the text is for people. Neither holds what a provider sent."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
