"""Alembic's configuration as its command line makes it, and the directory of the migrations."""

from __future__ import annotations

import configparser
import inspect
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.config import CommandLine, Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ...contract import job_env
from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..database.secret import Target
from ..errors import RunFailed
from ..terms import AND_A_NEW_IMAGE, CONFIG_FILE, IMAGE, INSTALL_HELPERS, PATH, SECTION
from ..zipapp.helpers import PACKAGE
from .config_files import broken_toml, is_configuration, propose_other
from .variables import expand_arguments

_URL = "sqlalchemy.url"


@dataclass(frozen=True)
class Configuration:
    """How to read the configuration, each time anew: env.py may change what it is given.

    Attributes:
        request: names file, section and arguments.
        path: of the file; None for a bare directory of version files.
        url: of the Secret's database, without its password.
    """

    request: RunRequest
    path: Path | None
    url: str

    def config(self, direction: Direction, target: str | tuple[str, ...]) -> Config:
        """What env.py finds as `context.config`.

        Raises:
            CommandError, configparser.Error: the file cannot be read.
        """
        config = _read(self.path, self.request.section) if self.path is not None else Config()
        if self.path is None:
            config.set_main_option("script_location", job_env.MIGRATIONS_DIRECTORY)
            return config
        option = getattr(config, "get_alembic_option", config.get_main_option)  # pyproject.toml too, from 1.16 on
        if not option("script_location") and (self.path.parent / "env.py").is_file():
            config.set_main_option("script_location", str(self.path.parent))  # as Flask-Migrate has it
        config.cmd_opts = _parser().parse_args(self.arguments(direction, target))
        config.set_main_option(_URL, self._url(config).replace("%", "%%"))
        return config

    def arguments(self, direction: Direction, target: str | tuple[str, ...]) -> list[str]:
        """Of the command line that env.py is run by."""
        given = [one for argument in expand_arguments(self.request.x) for one in ("-x", argument)]
        verb = "downgrade" if direction == Direction.DOWNGRADE else "upgrade"
        return [
            "-c",
            self.request.config_file,
            "-n",
            self.request.section,
            *given,
            verb,
            target if isinstance(target, str) else "heads",
        ]

    def _url(self, config: Config) -> str:
        """With the scheme that the file has there, as env.py may look at it."""
        written = config.file_config.get(self.request.section, _URL, raw=True, fallback="")
        scheme = written.partition("://")[0]
        return self.url.replace("postgresql", scheme, 1) if scheme.startswith("postgresql+") else self.url


@lru_cache(maxsize=1)
def _parser() -> ArgumentParser:
    """The one of `alembic`; to make it takes 10 ms, and a plan run reads the configuration ten times."""
    return CommandLine(prog="alembic").parser


@contextmanager
def command_line(arguments: list[str]) -> Iterator[None]:
    """While this lasts, the process has the arguments of `alembic`."""
    before, sys.argv = sys.argv, ["alembic", *arguments]
    try:
        yield
    finally:
        sys.argv = before


def pose_as_alembic() -> None:
    """Have `__main__.__file__` as `python -m alembic` has it.

    Ours is inside of a zip file, and a library that looks at the program's file (strawberry does) finds that it is
    below something that is no directory.
    """
    sys.modules["__main__"].__file__ = str(Path(inspect.getfile(Config)).with_name("__main__.py"))


def open_directory(request: RunRequest, target: Target | None) -> tuple[Configuration, ScriptDirectory]:
    """Read the configuration, and find the migrations. No file of theirs is imported.

    Raises:
        RunFailed: InvalidSpec (no ini file, no directory), ConfigMapNotFound.
    """
    if request.config_file == "":
        return _bare_directory(request)
    path = Path(request.path) / request.config_file
    if not path.is_file():
        raise RunFailed(
            Reason.INVALID_SPEC,
            f"Reading {path} in the {IMAGE}: the file does not exist. Correct {PATH} (where the file is) "
            f"or {CONFIG_FILE} (its name).{propose_other(path)}",
        )
    os.chdir(request.path)  # plain Alembic is run there, and relative paths in the file count on it
    configuration = Configuration(request, path, target.uri(password=False) if target is not None else "postgresql://")
    try:
        config = configuration.config(Direction.UPGRADE, request.revision)
        return configuration, ScriptDirectory.from_config(config)
    except configparser.Error as error:
        raise RunFailed(
            Reason.INVALID_SPEC,
            f"Reading {path} in the {IMAGE}: {_unparsed(error)}. Correct the file{AND_A_NEW_IMAGE}.",
        ) from None
    except (CommandError, ImportError, ValueError) as error:
        raise _not_read(path, error) from error


def _not_read(path: Path, error: Exception) -> RunFailed:
    if type(error).__name__ == "TOMLDecodeError" and isinstance(error, ValueError):
        file, found = broken_toml(path, error)
        beside = "" if file == path else f", which Alembic reads beside {path.name}"
        todo = f"Correct the file{AND_A_NEW_IMAGE}.{propose_other(path) if file == path else ''}"
        return RunFailed(Reason.INVALID_SPEC, f"Reading {file} in the {IMAGE}{beside}: {found}. {todo}")
    return RunFailed(
        Reason.INVALID_SPEC,
        f"Reading {path} in the {IMAGE}: {plain(error)}. Correct script_location there, or {PATH} and "
        f"{CONFIG_FILE}.{'' if is_configuration(path) else propose_other(path)}",
    )


def plain(error: BaseException) -> str:
    """What may be told of an exception in user code: its type, and its text where that can hold no value."""
    from alembic.script.revision import RevisionError  # noqa: PLC0415

    if isinstance(error, (CommandError, RevisionError)):
        return str(error).rstrip(".")
    if isinstance(error, ModuleNotFoundError):
        return f"the module {error.name} is missing" + (INSTALL_HELPERS if error.name == PACKAGE else "")
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} in line {error.lineno}"
    return type(error).__name__


def _read(path: Path, section: str) -> Config:
    options: dict[str, Any] = {"ini_section": section}
    takes_toml = "toml_file" in inspect.signature(Config.__init__).parameters
    if path.suffix == ".toml":
        if not takes_toml:
            raise CommandError("this version of Alembic reads ini files only; pyproject.toml needs 1.16")
        return Config(toml_file=str(path), **options)
    beside = path.with_name("pyproject.toml")
    if takes_toml and beside.is_file():
        options["toml_file"] = str(beside)
    config = Config(str(path), **options)
    if section != "alembic" and not config.file_config.has_section(section):
        raise CommandError(f"it has no section [{section}], which {SECTION} names")
    return config


def _bare_directory(request: RunRequest) -> tuple[Configuration, ScriptDirectory]:
    directory = job_env.MIGRATIONS_DIRECTORY
    if not list(Path(directory).glob("*.py")):  # the mount is optional, so a missing ConfigMap is an empty directory
        raise RunFailed(
            Reason.CONFIG_MAP_NOT_FOUND,
            "Reading the migrations of spec.migrations.configMap: the ConfigMap does not exist in the namespace, or "
            "has no key that ends in .py. Create it, or correct its name in the spec.",
        )
    return Configuration(request, None, ""), ScriptDirectory(directory, version_locations=[directory])


def _unparsed(error: configparser.Error) -> str:
    """Where an ini file is wrong; the error's own text quotes the line, which may be sqlalchemy.url."""
    kind = type(error).__name__
    if isinstance(error, configparser.InterpolationError):
        return f"{kind} in the option {error.option}. Write a percent sign as %%"
    line = error.errors[0][0] if type(error) is configparser.ParsingError else getattr(error, "lineno", None)
    return f"{kind} in line {line}" if line is not None else kind
