"""One small change of the product, and the tests that must fail by it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "operator/alembic_operator"


class Stale(Exception):
    """The change cannot be made any more; the text says what to correct in the list."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        fault: what somebody did wrong, in a few words.
        file: from the root of the repository, or from the package.
        code: the line that changes, or a part of it; it stands in the file once.
        instead: what stands there then.
        tests: what must fail, as pytest takes it: the narrowest that there is.
    """

    fault: str
    file: str
    code: str
    instead: str
    tests: str

    @property
    def path(self) -> str:
        """From the root of the repository."""
        top = self.file.partition("/")[0]
        return self.file if top in ("charts", "crds", "deploy", "helpers", "operator") else f"{PACKAGE}/{self.file}"

    def apply(self, root: Path) -> None:
        """Make the change in a copy of the repository.

        Raises:
            Stale: the code is not there, or not there once.
        """
        file = root / self.path
        if not file.is_file():
            raise Stale(f"there is no {self.path} any more: name the file that the code is in now")
        text = file.read_text("utf-8")
        if (times := text.count(self.code)) != 1:
            found = f"{times} times" if times else "no longer"
            raise Stale(f"`{self.code}` stands {found} in {self.path}: take the code as it is now, or another fault")
        file.write_text(text.replace(self.code, self.instead), "utf-8")


def named(mutants: Sequence[Mutant], words: Sequence[str]) -> list[Mutant]:
    """Those with one of the words in fault, file or tests; all of them without a word."""
    return [one for one in mutants if not words or any(word in f"{one.fault} {one.path} {one.tests}" for word in words)]
