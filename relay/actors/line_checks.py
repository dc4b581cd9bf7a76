"""LineCheckActor: checks every live line a few times a day, and soon after its provider told news of it."""

from __future__ import annotations

import time

from db.sealing import SealError
from db.tenants import check_runs
from db.tenants.check_runs import WORST, DueCheck
from relay.channels.base import Finding
from relay.checks import line_checks
from relay.checks.line_checks import SIDES, CheckedSide
from relay.core.languages import phrase
from relay.runtime.regular import RegularActor

AT_ONCE = 2
TIDY_SECONDS = 60.0
PARTS: tuple[CheckedSide, ...] = (*SIDES, "relay")
TOLD_ALWAYS = ("quality",)
"""Kept though they are in order: what is worth to be compared with the time before."""


class LineCheckActor(RegularActor):
    every_seconds = 15.0
    busy_seconds = 1.0
    longest_seconds = 120.0
    _tidy_at = 0.0

    def work(self) -> bool:
        more = False
        if time.monotonic() >= self._tidy_at:
            more = check_runs.tidy(self._parts.pool)
            self._tidy_at = time.monotonic() + (0.0 if more else TIDY_SECONDS)
        due = check_runs.take_due(self._parts.pool, AT_ONCE)
        for line in due:
            self._check(line)
        return more or len(due) == AT_ONCE

    def _check(self, line: DueCheck) -> None:
        """The same looks as the portal's, without those that can only fail."""
        parts = self._parts
        try:
            found = line_checks.subjects(parts.pool, parts.cipher, parts.ours, line.tenant_id, [line.line_id])
        except SealError as error:  # its text names the setting
            unreadable = Finding(
                "secrets", "refused", str(error), phrase("The operator finds in the log which key is missing.")
            )
            self._keep(line, [("relay", unreadable)])
            return
        if not found:  # released or removed meanwhile
            return
        sides = line_checks.check_parts(parts.channels, [(found[0], part) for part in PARTS], parts.ours)
        self._keep(line, [(side.side, finding) for side in sides for finding in side.findings])

    def _keep(self, line: DueCheck, found: list[tuple[CheckedSide, Finding]]) -> None:
        worst = max((one.level for _, one in found), key=lambda level: WORST[level], default="ok")
        kept = [
            {
                "side": side, "check": one.check, "level": one.level, "text": one.text, "advice": one.advice,
                "ends_at": one.ends_at, "limit": one.limit,
            }
            for side, one in found
            if one.level != "ok" or one.check in TOLD_ALWAYS
        ]  # fmt: skip
        check_runs.put(self._parts.pool, line, worst, len(found), kept)
