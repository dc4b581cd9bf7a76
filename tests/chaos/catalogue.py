"""All that can happen, by name. It lasts as long as its context; afterwards the part is well again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.chaos import own, providers, stores
from tests.chaos.plant import Plant

Trouble = Callable[[Plant, Random], AbstractContextManager[None]]
GENESYS, META, EVERYWHERE = "Genesys", "Meta", "everywhere"


@dataclass(frozen=True)
class Kind:
    """`where` is the part: two kinds of the same place never happen at once, and one of EVERYWHERE is alone."""

    name: str
    where: str
    trouble: Trouble
    seconds: tuple[float, float] = (3.0, 10.0)
    lingers: float = 0.0
    """So many seconds after its end a call may still take effect that was made while it lasted."""
    loses: frozenset[str] = frozenset()
    """The providers whose answers may get lost in it: what became of a call is then not known to anybody."""
    outage: bool = False
    """It lasts for half a minute at times, and for two minutes rarely."""
    needs: str = ""
    """What not every machine has: "clocks" that can be set, a "disk" that can be filled."""


BOTH = frozenset((GENESYS, META))
LEASE = 15.0
BRIEF, MOMENT, PAST_THE_LEASE = (3.0, 8.0), (0.0, 0.5), (LEASE + 3, LEASE + 8)

KINDS: tuple[Kind, ...] = (
    Kind("a daemon killed", "relay", partial(own.killed, of="daemons", number=1), BRIEF, loses=BOTH),
    Kind(
        "a daemon killed and at once started", "relay", partial(own.killed, of="daemons", number=1), MOMENT, loses=BOTH
    ),
    Kind("two daemons killed", "relay", partial(own.killed, of="daemons", number=2), BRIEF, loses=BOTH),
    Kind("all daemons killed", "relay", partial(own.killed, of="daemons", number=3), BRIEF, loses=BOTH),
    Kind("a daemon stopped", "relay", partial(own.stopped, of="daemons", number=1), BRIEF),
    Kind("daemons restarted one by one", "relay", partial(own.restarted, of="daemons"), MOMENT),
    Kind("a daemon frozen", "relay", partial(own.frozen, of="daemons"), BRIEF, loses=BOTH),
    Kind("a daemon frozen past its lease", "relay", partial(own.frozen, of="daemons"), PAST_THE_LEASE, loses=BOTH),
    Kind("a daemon without PostgreSQL", "relay", partial(own.parted, server="PostgreSQL"), PAST_THE_LEASE, loses=BOTH),
    Kind("a daemon without RabbitMQ", "relay", partial(own.parted, server="RabbitMQ"), BRIEF),
    Kind("a web killed", "web", partial(own.killed, of="webs", number=1)),
    Kind("both webs killed", "web", partial(own.killed, of="webs", number=2)),
    Kind("a web stopped", "web", partial(own.stopped, of="webs", number=1)),
    Kind("webs restarted one by one", "web", partial(own.restarted, of="webs"), MOMENT),
    Kind("a web frozen", "web", partial(own.frozen, of="webs")),
    *(
        Kind(f"{server} {what}", server, partial(trouble, server=server), outage=True)
        for server in ("RabbitMQ", "PostgreSQL", "Redis", "objects")
        for what, trouble in (
            ("killed", stores.killed),
            ("stopped", stores.stopped),
            ("frozen", stores.frozen),
            ("cut off", stores.cut),
            ("unheard", stores.held),
            ("slow", stores.slow),
            ("on a thin line", stores.thin),
            ("talking nonsense", stores.talking_nonsense),
        )
    ),
    Kind("everything killed", EVERYWHERE, own.everything_killed, BRIEF, loses=BOTH),
    *(
        Kind(f"started without {server}", EVERYWHERE, partial(own.started_without, server=server), loses=BOTH)
        for server in ("RabbitMQ", "PostgreSQL", "Redis", "objects")
    ),
    *(
        Kind(
            f"{of} with clocks {'ahead' if ahead else 'behind'}",
            where,
            partial(own.clock_set, of=of, ahead=ahead),
            needs="clocks",
        )
        for of, where in (("daemons", "relay"), ("webs", "web"))
        for ahead in (True, False)
    ),
    Kind("RabbitMQ's disk full", "RabbitMQ", stores.rabbitmq_full),
    Kind("PostgreSQL read-only", "PostgreSQL", stores.postgres_read_only),
    Kind("PostgreSQL's disk full", "PostgreSQL", stores.postgres_full, needs="disk"),
    Kind("PostgreSQL's sessions ended", "PostgreSQL", stores.postgres_sessions_ended),
    Kind("Redis full", "Redis", stores.redis_full),
    Kind("objects' disk full", "objects", partial(stores.objects_refusing, status="507 Insufficient Storage")),
    Kind("objects overrun", "objects", partial(stores.objects_refusing, status="503 Slow Down")),
    *(
        Kind(
            f"{name} {what}",
            name,
            partial(providers.trouble, side=side, faults=faults),
            (3.0, 10.0),
            lingers,
            loses,
            True,
        )
        for name, side in ((META, "meta"), (GENESYS, "genesys"))
        for what, faults, lingers, loses in (
            ("answers 500", providers.ERRORS, 0.0, frozenset[str]()),
            ("throttles", providers.THROTTLES, 0.0, frozenset[str]()),
            ("hangs", providers.HANGS, providers.HANG_SECONDS, frozenset((name,))),
            ("cuts after it took", providers.CUTS_AFTER, 0.0, frozenset((name,))),
            ("cuts before it took", providers.CUTS_BEFORE, 0.0, frozenset[str]()),
            ("is behind a broken gateway", providers.GATEWAY, 0.0, frozenset((name,))),
            ("talks nonsense", providers.NONSENSE, 0.0, frozenset[str]()),
            ("is slow", providers.SLOW, 0.0, frozenset[str]()),
        )
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
