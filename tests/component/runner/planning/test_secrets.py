"""No plan, record or message holds what the pod's Secret keeps, however a revision writes it."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from tests.component.runner.databases import PASSWORD
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.request import RunKind

FORMS = {
    "as it is": PASSWORD,
    "in a URI": quote(PASSWORD, safe=""),
    "in a URI, slashes kept": quote(PASSWORD),
    "in a form": quote_plus(PASSWORD),
}


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("way", ["op.execute", "raw.cursor().execute"])
def test_password_is_masked_in_every_form_when_a_revision_writes_it_into_its_sql(
    project: Project, planner: Planner, way: str, driver: str
) -> None:
    raw = "raw = op.get_bind().connection.driver_connection\n"
    sent = [f"COMMENT ON COLUMN item.id IS '{name}: {form} there'" for name, form in FORMS.items()]
    project.add("r1", "op.execute('CREATE TABLE item (id int)')\n" + raw + "\n".join(f"{way}({sql!r})" for sql in sent))
    ended = planner.run(project, driver=driver)
    shown = [one.sql for one in read_plan(ended).steps[0].statements]
    assert shown[1:] == [f"COMMENT ON COLUMN item.id IS '{name}: *** there'" for name in FORMS]
    for text in (ended.stdout, ended.message, ended.stderr):
        assert not [form for form in FORMS.values() if form in text]


def test_other_passwords_of_the_secret_are_masked_and_names_are_not(project: Project, planner: Planner) -> None:
    more = {"uri": planner.database.uri, "admin-password": "open sesame", "schema": "public"}
    project.sql("r1", "CREATE TABLE public.item (note text DEFAULT 'open sesame or open+sesame')")
    planner.restore()
    ended = planner.runner(project, more, mounts=planner.mounts, kind=RunKind.PLAN, evidence="Shadow")
    (statement,) = read_plan(ended).steps[0].statements
    assert statement.sql == "CREATE TABLE public.item (note text DEFAULT '*** or ***')"
