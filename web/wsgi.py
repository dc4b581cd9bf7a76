"""What gunicorn serves: `python -m gunicorn -c conf/gunicorn.py web.wsgi:app`.

Built once per worker, after the fork.
"""

from gevent import monkey

if not monkey.is_module_patched("threading"):
    raise RuntimeError(
        "web runs in gunicorn's gevent worker, which patches the standard library first: "
        "gunicorn -c conf/gunicorn.py web.wsgi:app"
    )

from conf import garbage, profile
from conf.loading import load_settings
from conf.logging import configure
from relay.core.redaction import redacted
from web.bootstrap import build_web

settings = load_settings()
configure(redacted, settings.log_level, settings.log_format)
profile.warn(settings)
app = build_web(settings)
garbage.settle()
