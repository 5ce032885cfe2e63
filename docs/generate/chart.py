"""What the chart holds of other files: the CRDs, the reasons of its alert, and the table of its values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from alembic_operator.contract.reasons import Reason, ReasonClass

from . import places

_README = """\
# The chart alembic-operator

Generated from `values.yaml` by `make generate`. How to install, upgrade and remove:
[docs/install.md](../../docs/install.md).

```console
helm install alembic-operator charts/alembic-operator --namespace alembic-operator --create-namespace
```

The CRDs are templates (`crds.install`), so `helm upgrade` upgrades them. They stay when the release is uninstalled
(`crds.keep`). The operator's roles have no verb on Secrets, and no wildcard.

| value | default | meaning |
|---|---|---|
{rows}
"""
_COMMENT = re.compile(r"^(?P<indent> *)# (?P<start>-- )?(?P<text>.*)$")
_KEY = re.compile(r"^(?P<indent> *)(?P<name>[A-Za-z][A-Za-z0-9]*):")


def files() -> dict[Path, str]:
    """The generated files of the chart."""
    copies = {
        places.CHART / "files" / "crds" / path.name: path.read_text(encoding="utf-8")
        for path in places.CRDS.glob("*.yaml")
    }
    stalled = "|".join(reason.value for reason in Reason if reason.reason_class is ReasonClass.STOP)
    text = (places.CHART / "values.yaml").read_text(encoding="utf-8")
    rows = "\n".join(_row(path, value, words) for path, value, words in _values(text))
    return {
        **copies,
        places.CHART / "files" / "stalled-reasons": f"{stalled}\n",
        places.CHART / "README.md": _README.format(rows=rows),
    }


def _row(path: str, value: Any, words: str) -> str:
    return f"| `{path}` | `{json.dumps(value)}` | {words} |"


def _values(text: str) -> list[tuple[str, Any, str]]:
    """Each described value of values.yaml: its path, its default, and its `# --` comment."""
    values, words = yaml.safe_load(text), ""
    parents: list[str] = []
    found: list[tuple[str, Any, str]] = []
    for line in text.splitlines():
        comment, key = _COMMENT.match(line), _KEY.match(line)
        if comment and comment["start"]:
            words = comment["text"]
        elif comment and words:
            words += f" {comment['text']}"
        elif key:
            parents = [*parents[: len(key["indent"]) // 2], key["name"]]
            if words:
                found.append((".".join(parents), _at(values, parents), words))
            words = ""
    return found


def _at(values: Any, path: list[str]) -> Any:
    for name in path:
        values = values[name]
    return values
