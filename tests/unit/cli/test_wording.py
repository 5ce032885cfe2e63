"""The runner's messages in the words of a Job and of the command line."""

from __future__ import annotations

import pytest

from alembic_operator.cli.wording import ON_COMMAND_LINE
from alembic_operator.contract.reasons import Reason
from alembic_operator.runner import terms
from alembic_operator.runner.environment.configuration import plain
from alembic_operator.runner.errors import RunFailed
from alembic_operator.runner.report import Report
from alembic_operator.runner.terms import BASE_OR_REVISION, IMAGE, IN_A_JOB, REVISION, database_of, secret_named

HELPERS = ModuleNotFoundError(name="alembic_operator_helpers")


def test_each_term_has_words_for_every_audience() -> None:
    known = {name: value for name, value in vars(terms).items() if name.isupper() and isinstance(value, str)}
    codes = sorted(ord(value) for value in known.values())
    assert len(set(codes)) == len(codes)
    assert codes == sorted(IN_A_JOB) == sorted(ON_COMMAND_LINE)


@pytest.mark.parametrize(
    ("message", "in_a_job", "on_command_line"),
    [
        (f"{REVISION} of the {IMAGE}", "spec.revision of the image", "--to of the project"),
        (secret_named("--database-url"), 'Secret "--database-url"', "--database-url"),
        (database_of("--url"), 'the database that Secret "--url" names', "the database of --url"),
        (
            f"To start from base, {BASE_OR_REVISION}",
            "To start from base, set spec.baseline to {revisions: []}; if the schema is at a revision, name it in "
            "spec.baseline.",
            'To start from base, give --baseline ""; if the schema is at a revision, name it: --baseline REV.',
        ),
        (
            plain(HELPERS),
            "the module alembic_operator_helpers is missing",
            "the module alembic_operator_helpers is missing: pip install alembic-operator-helpers beside the project",
        ),
        (plain(ModuleNotFoundError(name="shop")), "the module shop is missing", "the module shop is missing"),
    ],
)
def test_audiences_read_their_own_words(message: str, in_a_job: str, on_command_line: str) -> None:
    assert (message.translate(IN_A_JOB), message.translate(ON_COMMAND_LINE)) == (in_a_job, on_command_line)


def test_failure_is_told_in_the_words_of_its_reader() -> None:
    failed = RunFailed(Reason.INVALID_SPEC, f"Looking for {REVISION}: not there.", f"See the {IMAGE}.", revision="a1")
    assert str(failed) == "InvalidSpec: Looking for spec.revision: not there. See the image."
    assert (failed.plain, failed.failure) == ("Looking for spec.revision: not there", failed.told(IN_A_JOB))
    told = failed.told(ON_COMMAND_LINE)
    assert (told.message, told.revision) == ("Looking for --to: not there. See the project.", "a1")


def test_failure_keeps_its_terms_when_another_is_made_of_it() -> None:
    failed = RunFailed(Reason.INVALID_SPEC, f"Looking for {REVISION}: not there", f"See the {IMAGE}.")
    more = RunFailed(Reason.INVALID_SPEC, f"{failed.found}. It was tried twice", failed.todo)
    assert more.told(ON_COMMAND_LINE).message == "Looking for --to: not there. It was tried twice. See the project."


def test_warning_is_in_the_words_of_its_reader(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(ON_COMMAND_LINE)
    report.warn(f"{REVISION} has no effect.")
    assert report.warnings == ["--to has no effect."]
    assert '"message":"--to has no effect."' in capsys.readouterr().out
