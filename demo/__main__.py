"""`make demo`: the whole installation with a demo tenant on this machine, until Ctrl-C."""

import os
import shlex
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from demo.seed import (
    GENESYS,
    INTEGRATION_ID,
    OPERATOR,
    PASSWORD,
    PHONE_NUMBER_ID,
    TENANT,
    TENANT_USERS,
    WHATSAPP,
    Seeded,
)
from demo.stack.installation import Installation
from demo.stack.ports import Ports
from demo.stack.session import port, run, say, seeded_installation


def main() -> int:
    return run(_demo, interrupted=0)


def _demo() -> int:
    ports = Ports(port("WEB_PORT", 8000), port("SANDBOX_PORT", 8090), port("METRICS_PORT"))
    with seeded_installation("demo", ports) as (it, seeded):
        say(_welcome(it, seeded, settings_file(it.env)))
        _watch(it)
    return 0


def _watch(it: Installation) -> None:
    """Until a signal comes; a process that dies ends the demo."""
    never = threading.Event()
    while not never.wait(0.5):
        it.check()


def settings_file(env: Mapping[str, str]) -> Path:
    """For another terminal: with it `python -m relay` speaks to this installation. It goes with the run's data."""
    path = Path(env["TMPDIR"]).parent / "relay.env"
    own = {name: value for name, value in env.items() if os.environ.get(name) != value}
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in own.items()))
    return path


def _welcome(it: Installation, seeded: Seeded, settings: Path) -> str:
    rows = [
        ("Try it", f"{it.sandbox}/   the customer's phone beside the agent's desk"),
        ("Portal", f"{it.web}/portal/   password of all three: {PASSWORD}"),
        ("", f"{OPERATOR['email']}   {'   '.join(user['email'] for user in TENANT_USERS)}"),
        ("", f"the operator's second factor: {it.sandbox}/authenticator"),
        ("API", f"{it.web}/docs   (Authorization: Bearer {it.env['ADMIN_API_KEY']})"),
        ("Health", f"{it.web}/health/ready   {it.web}/metrics"),
        ("", f"{it.daemon}/health/ready   {it.daemon}/metrics   (the daemon's)"),
        ("Commands", f"set -a; . {shlex.quote(str(settings))}; set +a; python -m relay doctor"),
        ("", "in another terminal, from this folder; `python -m relay --help` lists the others"),
        ("Tenant", f"{TENANT}, {seeded.tenant_id}"),
        ("WhatsApp", f"phone_number_id {PHONE_NUMBER_ID}, token {WHATSAPP['access_token']}"),
        ("Genesys", f"integration {INTEGRATION_ID}"),
        ("", f"client {GENESYS['client_id']}, secret {GENESYS['client_secret']}"),
        ("Webhooks", seeded.meta_webhook),
        ("", seeded.genesys_webhook),
    ]
    lines = [f"{name:<10}{text}" for name, text in rows] + ["", "Ctrl-C stops everything and leaves nothing behind."]
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 2) + "+"
    return "\n".join(["", edge, *(f"| {line:<{width}} |" for line in lines), edge, ""])


if __name__ == "__main__":
    sys.exit(main())
