"""What gunicorn serves: `python -m gunicorn -c conf/gunicorn.py web.wsgi:app`.

Built once per worker, after the fork.
"""

from gevent import monkey

if not monkey.is_module_patched("threading"):
    raise RuntimeError(
        "web runs in gunicorn's gevent worker, which patches the standard library first: "
        "gunicorn -c conf/gunicorn.py web.wsgi:app"
    )

from conf import garbage

garbage.look_seldom()

import atexit
import sys

import structlog
from gunicorn.arbiter import Arbiter

from conf import profile
from conf.loading import load_settings
from conf.logging import configure
from db.daemons.versions import WrongVersionError
from db.migrate import ShardCountError
from db.sealing import SealError
from relay.broker.errors import TopologyError
from relay.core.redaction import redacted
from relay.core.retention import RetentionError
from web.bootstrap import build_web, observe

settings = load_settings()
configure(redacted, settings.log_level, settings.log_format)
profile.warn(settings)
atexit.register(observe(settings, "relay-web"))
try:
    app = build_web(settings)
except (
    ShardCountError, WrongVersionError, SealError, TopologyError, RetentionError,
) as error:  # fmt: skip  # their texts say what to do
    structlog.get_logger(__name__).error("web_cannot_start", reason=str(error))
    sys.exit(Arbiter.APP_LOAD_ERROR)  # by which the master knows that no other worker would do better
garbage.settle()
