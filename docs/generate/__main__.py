"""`python -m docs.generate` writes the generated files; with `--check` it only says which are not up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import chart, install, messages, places, reference, requirements


def main() -> int:
    """Write or check every generated file; 1 when one is not up to date."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")
    check: bool = parser.parse_args().check
    # Each reads what the one before it may have written: install.yaml is made from the chart and its copies.
    stale = [
        path
        for make in (requirements.files, reference.files, messages.files, chart.files)
        for path in _settle(make(), check)
    ]
    helm = install.helm()
    if helm is None:
        print(f"{install.FILE.relative_to(places.ROOT)}: left as it is, since it needs Helm; `make cluster` builds one")
    else:
        stale += _settle(install.files(helm), check)
    for path in stale:
        print(f"{path.relative_to(places.ROOT)}: {'not up to date; run `make generate`' if check else 'written'}")
    return 1 if check and stale else 0


def _settle(files: dict[Path, str], check: bool) -> list[Path]:
    """The files that differ; they are written, but for a check."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in [] if check else stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return stale


sys.exit(main())
