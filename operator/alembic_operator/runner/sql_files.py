"""SQL that is kept in files of its own beside the module that sends it."""

from __future__ import annotations

import pkgutil


def sql_file(package: str | None, name: str) -> str:
    """The text of a file in the source, or in the zipapp.

    Args:
        package: `__package__` of the module beside it.
        name: of the file.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    return (pkgutil.get_data(package or "", name) or b"").decode("utf-8")
