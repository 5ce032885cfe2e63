"""The words of the command line for the terms of the runner's messages: the options and the directory it was given."""

from __future__ import annotations

from alembic_operator.runner import terms

ON_COMMAND_LINE: terms.Words = str.maketrans(
    {
        terms.SECRET: "--database-url",
        terms.SECRETS_USER: "the user of --database-url",
        terms.CORRECT_SECRET: "Correct it.",
        terms.SECRET_OPENS: "",
        terms.SECRET_CLOSES: "",
        terms.DATABASE_OPENS: "the database of ",
        terms.DATABASE_CLOSES: "",
        terms.REVISION: "--to",
        terms.REVISIONS: "--to",
        terms.ALLOW_DOWNGRADE: "--allow-downgrade",
        terms.BASELINE: "--baseline",
        terms.BASE_OR_REVISION: 'give --baseline ""; if the schema is at a revision, name it: --baseline REV.',
        terms.SEARCH_PATH: "--search-path",
        terms.ROLE: "--role",
        terms.PATH: "--project",
        terms.CONFIG_FILE: "--config",
        terms.SECTION: "--section",
        terms.ARGUMENTS: "-x",
        terms.VERSION_TABLE: "--version-table",
        terms.VERSION_TABLE_NAME: "--version-table",
        terms.VERSION_TABLE_SCHEMA: "--version-table-schema",
        terms.IMAGE: "project",
        terms.AN_IMAGE: "a project",
        terms.AND_A_NEW_IMAGE: "",
        terms.REQUIREMENTS: "the project's environment",
        terms.LIBPQ: "the libpq of the driver",
        terms.INSTALL_HELPERS: ": pip install alembic-operator-helpers beside the project",
        terms.LOG: "output above",
        terms.DNS: "the DNS",
    }
)
