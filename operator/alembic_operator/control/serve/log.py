"""One JSON object a line on stdout, from us, kopf, aiohttp and everything else in the process, through one formatter.

Every line has `timestamp`, `level`, `logger` and `event`; lines about a resource also `namespace` and `name`, which
`bound` puts there. What is logged was made by us or by the API server: no credential of a database is ever known here.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TextIO

import structlog
from structlog.contextvars import bound_contextvars

# In the first places of a line, in this order.
HEAD = ("timestamp", "level", "event", "namespace", "name", "job", "reason")
# kopf says at INFO what is ours to say ("Handler 'x' succeeded", for each event), aiohttp each probe.
QUIET = {"kopf.objects": logging.WARNING, "aiohttp.access": logging.WARNING, "asyncio": logging.WARNING}

Event = MutableMapping[str, Any]


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send everything at `level` or above to the stream, stdout by default. Replaces what was configured before."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _kopf_object],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _head_first,
            structlog.processors.JSONRenderer(serializer=json.dumps, default=_text, ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("job created", job="shop-7f3c9a1b-1")`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def bound(**fields: str | int) -> AbstractContextManager[Any]:
    """Within it every line of this task carries the fields, whoever writes it."""
    return bound_contextvars(**fields)


def _kopf_object(_logger: Any, _method: str, event: Event) -> Event:
    """Take over the object, which kopf names in the record."""
    record = event.get("_record")
    reference = getattr(record, "k8s_ref", None)
    if isinstance(reference, dict):
        for field in ("namespace", "name"):
            if reference.get(field):
                event.setdefault(field, reference[field])
    return event


def _head_first(_logger: Any, _method: str, event: Event) -> Event:
    first = {key: event[key] for key in HEAD if key in event}
    return first | {key: value for key, value in event.items() if key not in first}


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
