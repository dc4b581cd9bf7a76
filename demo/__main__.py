"""`make demo`: the whole installation with a demo tenant on this machine, until Ctrl-C."""

import sys
import threading

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
        say(_welcome(it, seeded))
        _watch(it)
    return 0


def _watch(it: Installation) -> None:
    """Until a signal comes; a process that dies ends the demo."""
    never = threading.Event()
    while not never.wait(0.5):
        it.check()


def _welcome(it: Installation, seeded: Seeded) -> str:
    rows = [
        ("Try it", f"{it.sandbox}/   the customer's phone beside the agent's desk"),
        ("Portal", f"{it.web}/portal/   password of all three: {PASSWORD}"),
        ("", f"{OPERATOR['email']}   {'   '.join(user['email'] for user in TENANT_USERS)}"),
        ("", f"the operator's second factor: {it.sandbox}/authenticator"),
        ("API", f"{it.web}/docs   (Authorization: Bearer {it.env['ADMIN_API_KEY']})"),
        ("Health", f"{it.web}/health/ready   {it.web}/metrics"),
        ("", f"{it.daemon}/health/ready   {it.daemon}/metrics   (the daemon's)"),
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
