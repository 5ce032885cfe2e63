"""The script of the shadow's container, a scratch PostgreSQL beside the runner in the pod of a plan run.

It is POSIX sh (dash, bash, busybox) and needs an ordinary PostgreSQL image. It makes a server at once, while the
runner's container starts, and waits for the settings of the target. It never exits by itself: the kubelet would start
it again.
"""

from __future__ import annotations

from importlib.resources import files

from alembic_operator.contract import job_env

# Seconds. pg_dump takes ACCESS SHARE on every table, which waits behind ALTER TABLE alone.
LOCK_WAIT = 10

_WORDS = {
    "@SOURCE@": job_env.SHADOW_SOURCE_FILE,
    "@READY@": job_env.SHADOW_READY_FILE,
    "@FAILED@": job_env.SHADOW_FAILED_FILE,
    "@DATABASE@": job_env.SHADOW_DATABASE,
    "@USER@": job_env.SHADOW_USER,
    "@JOURNAL@": job_env.JOURNAL_SCHEMA,
    "@WAIT@": str(LOCK_WAIT),
}


def script() -> str:
    """The text for `sh -c`; its arguments are job_env.SHADOW_DIRECTORY and a directory of its own for the data.

    It promises one file in the first directory: SHADOW_READY_FILE, empty, once the schema of the target is in the
    database SHADOW_DATABASE of the server that listens on a socket there, or SHADOW_FAILED_FILE with one sentence that
    says why there is none and what to do, without a password, parameter or row value. A server that ends after it was
    ready leaves the second one too. It ends on SIGTERM, with 0, and only then.
    """
    text = files(__package__).joinpath("shadow.sh").read_text("utf-8")
    for word, value in _WORDS.items():
        text = text.replace(word, value)
    return text
