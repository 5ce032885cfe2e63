"""The command line: what may be asked for, and what is wrong with it. A URL may hold a password, so none is quoted."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from alembic_operator.api.review import FAIL_ON, Review, check_review
from alembic_operator.api.rules import ARGUMENT, REVIEW_NEVER_LOWERED, REVIEW_RULE_NAMES, REVISION, InvalidSpec

DATABASE_VARIABLE = "ALEMBIC_OPERATOR_DATABASE_URL"
SHADOW_VARIABLE = "ALEMBIC_OPERATOR_SHADOW_URL"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
# What breaks a rule that names the field of the spec, in the words of the option.
_FAULTS = {
    REVIEW_RULE_NAMES: "--rule must name rules of docs/rules.md by their ids, such as fk-index",
    REVIEW_NEVER_LOWERED: (
        "transaction-escape, multiple-heads, inserted-revision and edited-revision are always errors; remove them from "
        "--rule"
    ),
}

_EPILOG = f"""\
The target is only read. The shadow is a scratch database, created through --shadow-url on a server of the target's
major version where that user is a superuser; it is dropped at the end. pg_dump and psql are taken from the PATH.
With --evidence static there is none: the SQL is rendered, but its effects on the database are unknown.

A URL in an option can be seen by other users of the machine, in its list of processes: where an option is left out, it
is taken from {DATABASE_VARIABLE} or {SHADOW_VARIABLE}.

exit codes: 0 no finding that counts, 1 findings, 2 no plan could be made, 130 interrupted
"""


@dataclass(frozen=True)
class Options:
    """What was asked for. `repr` shows no URL."""

    command: str
    project: Path = field(default_factory=Path)
    config: str = "alembic.ini"
    section: str = "alembic"
    x: tuple[str, ...] = field(default=(), repr=False)
    database_url: str = field(default="", repr=False)
    shadow_url: str = field(default="", repr=False)
    to: tuple[str, ...] = ("head",)
    search_path: tuple[str, ...] = ()
    version_table: str = ""
    version_table_schema: str = ""
    role: str = ""
    baseline: tuple[str, ...] | None = None
    allow_downgrade: bool = False
    format: str = "text"
    fail_on: str = "error"
    evidence: str = "shadow"
    network: str = "closed"
    rules: Mapping[str, str] = field(default_factory=dict)


class _Parser(argparse.ArgumentParser):
    """Errors name the option and never a value: argparse quotes values, and a URL may stand anywhere by mistake."""

    def error(self, message: str) -> NoReturn:
        words = message.split(": ")
        known = message if "://" not in message else f"{words[0]}: unexpected value (not shown)"
        self.exit(2, f"{self.prog}: {known}. See {self.prog} --help\n")


def parse(argv: Sequence[str] | None, environ: Mapping[str, str] = os.environ) -> Options:
    """Read the command line.

    Raises:
        SystemExit: 2 with a sentence on what is wrong, 0 after --help.
    """
    parser = _parser()
    found = parser.parse_args(argv)
    if found.command == "run":
        return Options("run")
    plan: argparse.ArgumentParser = found.parser
    return Options(
        command="plan",
        project=_project(plan, found.project, found.config),
        config=found.config,
        section=found.section,
        x=tuple(_checked(plan, "-x", one, ARGUMENT, "an argument of the form key=value") for one in found.x),
        database_url=_url(plan, "--database-url", found.database_url, environ.get(DATABASE_VARIABLE, "")),
        shadow_url=_shadow(plan, found.evidence, found.shadow_url, environ.get(SHADOW_VARIABLE, "")),
        to=_targets(plan, found.to),
        search_path=tuple(
            _checked(plan, "--search-path", one, _IDENTIFIER, "comma-separated schema names")
            for one in found.search_path.split(",")
            if found.search_path
        ),
        version_table=found.version_table
        and _checked(plan, "--version-table", found.version_table, _IDENTIFIER, "a plain name"),
        version_table_schema=found.version_table_schema
        and _checked(plan, "--version-table-schema", found.version_table_schema, _IDENTIFIER, "a plain name"),
        role=found.role,
        baseline=_baseline(plan, found.baseline, found.evidence),
        allow_downgrade=found.allow_downgrade,
        format=found.format,
        fail_on=found.fail_on,
        evidence=found.evidence,
        network=found.network,
        rules=_rules(plan, found.rule),
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="alembic-operator", description="The Kubernetes operator for Alembic, and its plans.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    commands.add_parser("run", help="run the operator (in the cluster; see docs/)")
    plan = commands.add_parser(
        "plan",
        help="show what the cluster would review: SQL, locks, findings",
        description="Plan a migration as the cluster would, without a cluster.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plan.set_defaults(parser=plan)
    add = plan.add_argument
    add("--project", required=True, metavar="DIR", help="directory that plain Alembic is run in")
    add("--config", default="alembic.ini", metavar="FILE", help="the ini file, relative to it (default: %(default)s)")
    add("--section", default="alembic", metavar="NAME", help="of the ini file: alembic -n (default: %(default)s)")
    add("-x", action="append", default=[], metavar="KEY=VALUE", help="for env.py, as alembic -x; may be repeated")
    add("--database-url", default="", metavar="URL", help="the target: postgresql://user:password@host/database")
    add("--shadow-url", default="", metavar="URL", help="a superuser's, on a scratch server")
    add("--to", default="head", metavar="REV[,…]", help="full revision ids, head or heads (default: %(default)s)")
    add("--search-path", default="", metavar="SCHEMA[,…]", help="of the session (default: the user's own)")
    add("--version-table", default="", metavar="NAME", help="(default: alembic_version)")
    add("--version-table-schema", default="", metavar="NAME", help="(default: by the search path, as Alembic finds it)")
    add("--role", default="", metavar="ROLE", help="SET ROLE on the target after connecting")
    add("--baseline", default=None, metavar="REV[,…]", help='adopt a database at these revisions; "" for base')
    add("--allow-downgrade", action="store_true", help="plan the downgrade if the database is ahead")
    add("--format", choices=("text", "json"), default="text", help="(default: %(default)s)")
    add("--fail-on", choices=(*FAIL_ON, "never"), default="error", help="exit code 1 (default: %(default)s)")
    add("--evidence", type=str.lower, choices=("shadow", "static"), default="shadow", help="(default: %(default)s)")
    add("--network", choices=("closed", "open"), default="closed", help="for code of the plan (default: %(default)s)")
    add("--rule", action="append", default=[], metavar="ID=SEVERITY", help="error, warning or off; may be repeated")
    return parser


def _project(parser: argparse.ArgumentParser, given: str, config: str) -> Path:
    if "://" in given or "://" in config:
        parser.error("--project, --config: must be a directory and a file, not a URL (not shown)")
    project = Path(given)
    if not project.is_dir():
        parser.error(f"--project: {project} is not a directory. Name the one that plain Alembic runs in")
    if not (project / config).is_file():
        parser.error(f"--config: the file {project / config} does not exist. Name it relative to --project")
    return project.resolve()


def _url(parser: argparse.ArgumentParser, option: str, given: str, otherwise: str) -> str:
    url = given or otherwise
    variable = DATABASE_VARIABLE if option == "--database-url" else SHADOW_VARIABLE
    if not url:
        parser.error(f"{option} is missing, and {variable} is not set")
    return url


def _shadow(parser: argparse.ArgumentParser, evidence: str, given: str, otherwise: str) -> str:
    if evidence == "shadow":
        return _url(parser, "--shadow-url", given, otherwise)
    if given:
        parser.error("--shadow-url: --evidence static uses no shadow; omit one of the two")
    return ""


def _rules(parser: argparse.ArgumentParser, given: Sequence[str]) -> Mapping[str, str]:
    """As `spec.review.rules` has them."""
    found: dict[str, str] = {}
    for one in given:
        rule, is_, severity = one.partition("=")
        if not is_:
            parser.error("--rule: must be a rule's id and its severity, such as --rule fk-index=error")
        if rule in found:
            parser.error("--rule: a rule is given twice")
        found[rule] = severity
    try:
        check_review(Review(rules=found))
    except InvalidSpec as error:
        parser.error(f"--rule: {_FAULTS.get(error.rule, error.rule)}")
    return found


def _checked(parser: argparse.ArgumentParser, option: str, given: str, pattern: re.Pattern[str], expected: str) -> str:
    if not pattern.fullmatch(given):
        parser.error(f"{option}: must be {expected}")
    return given


def _targets(parser: argparse.ArgumentParser, given: str) -> tuple[str, ...]:
    ids = given.split(",")
    for one in ids:
        _checked(parser, "--to", one, REVISION, "comma-separated full revision ids, head or heads")
    if len(ids) > 1 and not {"head", "heads", "base"}.isdisjoint(ids):
        parser.error("--to: head, heads and base cannot be combined with other revisions")
    return tuple(ids)


def _baseline(parser: argparse.ArgumentParser, given: str | None, evidence: str) -> tuple[str, ...] | None:
    if given is None:
        return None
    revisions = [one for one in given.split(",") if one]
    if revisions and evidence == "static":
        parser.error("--baseline: the schema at a revision is read in a shadow; omit --evidence static")
    return tuple(
        _checked(parser, "--baseline", one, REVISION, "comma-separated full revision ids") for one in revisions
    )
