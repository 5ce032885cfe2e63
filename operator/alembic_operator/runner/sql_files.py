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
    text = pkgutil.get_data(package or "", name)
    if text is None:
        raise FileNotFoundError(f"{package} has no {name}")
    return text.decode("utf-8")
