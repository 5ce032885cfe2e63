"""What messages call the things that their reader has set: a term each, for which every audience has its own word.

A term is one character of Unicode's private use, so that a message may be put together, cut and compared like any
other text. It is replaced where the message is told: in the words of the spec, the Secret and the image by a Job
(below), in those of its options by the command line (cli/wording.py).
"""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[int, str]

SECRET = "\ue000"
SECRETS_USER = "\ue001"
CORRECT_SECRET = "\ue002"
SECRET_OPENS = "\ue003"
SECRET_CLOSES = "\ue004"
DATABASE_OPENS = "\ue005"
DATABASE_CLOSES = "\ue006"
REVISION = "\ue010"
REVISIONS = "\ue011"
ALLOW_DOWNGRADE = "\ue012"
BASELINE = "\ue013"
BASE_OR_REVISION = "\ue014"
SEARCH_PATH = "\ue020"
ROLE = "\ue021"
PATH = "\ue022"
CONFIG_FILE = "\ue023"
SECTION = "\ue024"
ARGUMENTS = "\ue025"
VERSION_TABLE = "\ue026"
VERSION_TABLE_NAME = "\ue027"
VERSION_TABLE_SCHEMA = "\ue028"
IMAGE = "\ue030"
AN_IMAGE = "\ue031"
AND_A_NEW_IMAGE = "\ue032"
REQUIREMENTS = "\ue033"
LIBPQ = "\ue034"
INSTALL_HELPERS = "\ue035"
LOG = "\ue040"
DNS = "\ue041"

IN_A_JOB: Words = str.maketrans(
    {
        SECRET: "the Secret",
        SECRETS_USER: "the Secret's user",
        CORRECT_SECRET: "Correct the Secret; the next run reads it again.",
        SECRET_OPENS: 'Secret "',
        SECRET_CLOSES: '"',
        DATABASE_OPENS: "the database that ",
        DATABASE_CLOSES: " names",
        REVISION: "spec.revision",
        REVISIONS: "spec.revisions",
        ALLOW_DOWNGRADE: "spec.allowDowngrade",
        BASELINE: "spec.baseline",
        BASE_OR_REVISION: (
            "set spec.baseline to {revisions: []}; if the schema is at a revision, name it in spec.baseline."
        ),
        SEARCH_PATH: "spec.database.searchPath",
        ROLE: "spec.database.role",
        PATH: "spec.migrations.path",
        CONFIG_FILE: "spec.migrations.configFile",
        SECTION: "spec.migrations.section",
        ARGUMENTS: "spec.migrations.x",
        VERSION_TABLE: "spec.migrations.versionTable",
        VERSION_TABLE_NAME: "spec.migrations.versionTable.name",
        VERSION_TABLE_SCHEMA: "spec.migrations.versionTable.schema",
        IMAGE: "image",
        AN_IMAGE: "an image",
        AND_A_NEW_IMAGE: ", and build a new image",
        REQUIREMENTS: "the image's requirements",
        LIBPQ: "the image's libpq",
        INSTALL_HELPERS: "",
        LOG: "log of the Job's pod",
        DNS: "the cluster's DNS",
    }
)


def secret_named(name: str) -> str:
    """A Secret, or an option, by its name."""
    return f"{SECRET_OPENS}{name}{SECRET_CLOSES}"


def database_of(name: str) -> str:
    """The database that a Secret, or an option, names."""
    return f"{DATABASE_OPENS}{secret_named(name)}{DATABASE_CLOSES}"
