"""The Secret, and the server that it names: what a person may mend is waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.lifecycle import Cluster
from tests.cluster.postgres import Postgres

from .installation import Installation
from .place import Places

RETRYING = "RetryingAfterFailure"


def test_missing_secret_is_named_and_its_creation_is_enough(places: Places) -> None:
    with places() as place:
        place.apply("plain", "a1")

        place.wait("SecretNotFound")

        assert place.conditions() == {"Ready": ("False", "SecretNotFound"), "Reconciling": ("True", RETRYING)}
        assert place.message() == (
            'Reading the connection from Secret "db": the Secret does not exist in the namespace, or has no keys. '
            'Create it with the key "uri" (a PostgreSQL URI), or with host, port, dbname, user, password. Next '
            "attempt at TIME."
        )
        place.secret()
        place.wait("UpToDate")
        assert place.message() == "Job shop/2 applied 1 revision in SECONDS: a1. The database is at revision a1."


def test_wrong_password_is_told_and_its_rotation_is_enough(places: Places) -> None:
    with places() as place:
        place.secret(uri=place.uri("not the one"))
        place.apply("plain", "a1")

        place.wait("AuthenticationFailed")

        assert place.conditions() == {"Ready": ("False", "AuthenticationFailed"), "Reconciling": ("True", RETRYING)}
        assert place.message() == (
            'Connecting to the database that Secret "db" names: the server refused the user or the password; correct '
            "the "
            "Secret, or the role in the database. Next attempt at TIME."
        )
        place.wait_for_status(lambda status: status["lastFailure"]["count"] == 3, "the third try")
        assert place.told("MigrationStarted", "RetryScheduled")
        place.secret()
        place.wait("UpToDate")


def test_password_that_is_no_valid_part_of_a_uri_is_in_no_message(places: Places, operator: Installation) -> None:
    password = "hush%zzhush"
    with places() as place:
        place.set_password(password)
        parts = {"host": place.server.host, "port": str(place.server.port), "dbname": place.user, "user": place.user}
        place.secret(uri="postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**parts, password=password))
        place.apply("plain", "a1")

        place.wait("InvalidConnectionSecret")

        assert place.message() == (
            'Reading the connection from Secret "db": the URI in key "uri" has a "%" that is not followed by two '
            'hexadecimal digits. Write "%" as "%25", or set the keys host, port, dbname, user, password instead, '
            "whose values need no escaping. Correct the Secret; the next run reads it again. Next attempt at TIME."
        )

        place.kubectl("delete", "secret", "db")
        place.secret(**parts, password=password)

        place.wait("UpToDate")
        assert "hush" not in place.everything_told() + operator.log()


@pytest.fixture
def server_of_its_own(cluster: Cluster) -> Iterator[Postgres]:
    with Postgres(15, host=cluster.host_address) as running:
        yield running


def test_unreachable_database_is_told_and_its_return_is_enough(places: Places, server_of_its_own: Postgres) -> None:
    server = server_of_its_own
    with places(server) as place:
        place.secret()
        server.stop()
        place.apply("plain", "a1")

        place.wait("DatabaseUnreachable")

        assert place.conditions() == {"Ready": ("False", "DatabaseUnreachable"), "Reconciling": ("True", RETRYING)}
        assert place.message() == (
            'Connecting to the database that Secret "db" names: nothing listens on that host and port; start the '
            "server, "
            "or correct host and port in the Secret. Next attempt at TIME."
        )
        server.start()
        place.wait("UpToDate")
        assert place.revisions() == ["a1"]
