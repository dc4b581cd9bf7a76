"""Three daemons against one on a single line whose provider takes a tenth of a second: then senders are the bound.

A daemon calls 32 times side by side for a line. On a machine that cannot compute three times one daemon's rate, the
ratio says how much of the machine one daemon took.
"""

from __future__ import annotations

from bench.stage import LEAST, Stage

ANSWER_SECONDS = 0.1
EACH = (1, 3)


def measure(stage: Stage) -> None:
    relay = stage.relay
    for daemons in EACH:
        with relay.running(daemons), stage.provider.slow({"*": ANSWER_SECONDS}):
            rate = stage.warm(relay, "inbound")
            count = max(LEAST, int(rate * stage.seconds))
            passage = stage.passed(stage.load(relay, "inbound", count, lines=relay.lines[:1]))
        stage.note(f"{daemons} daemons rate", passage.rate)
        stage.say(f"{daemons} daemons, answers after {ANSWER_SECONDS} s: {passage.rate:.0f}/s")
