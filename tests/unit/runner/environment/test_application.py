"""Which failures are for want of Flask's application context."""

from __future__ import annotations

import pytest

from alembic_operator.runner.environment.application import lacks_application

FLASK = "Working outside of application context.\n\nThis typically means that you attempted to use functionality"
FLASK_SQLALCHEMY_2 = (
    "No application found. Either work inside a view function or push an application context. See "
    "http://flask-sqlalchemy.pocoo.org/contexts/."
)


def _caused_by(error: Exception) -> Exception:
    try:
        raise KeyError("settings") from error
    except KeyError as wrapped:
        return wrapped


@pytest.mark.parametrize(
    "error",
    [RuntimeError(FLASK), RuntimeError(FLASK_SQLALCHEMY_2), _caused_by(RuntimeError(FLASK))],
)
def test_the_application_is_loaded_when_flask_had_no_context(error: Exception) -> None:
    assert lacks_application(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        RuntimeError("Working outside of request context."),
        RuntimeError("no running event loop"),
        KeyError("FLASK_APP"),
        ModuleNotFoundError("No module named 'flask'", name="flask"),
        _caused_by(ValueError("application context")),
    ],
)
def test_no_application_is_loaded_when_something_else_has_failed(error: Exception | None) -> None:
    assert not lacks_application(error)
