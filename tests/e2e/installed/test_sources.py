"""Where the migrations come from: images that cannot be used, and histories that cannot be followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import images
from tests.cluster.processes import CommandFailed

from . import histories
from .place import STALLED, Place, Places

RETRYING = "RetryingAfterFailure"
NOWHERE = f"@sha256:{'0' * 64}"


def stalled(reason: str) -> dict[str, tuple[str, str]]:
    """The conditions of a resource that needs a person."""
    return {"Ready": ("False", reason), "Stalled": ("True", reason)}


def test_image_that_cannot_be_pulled_is_named_and_another_is_taken_at_once(place: Place) -> None:
    missing = place.image.partition("@")[0] + NOWHERE
    place.apply("plain", "a1", migrations={"image": missing})

    place.wait("ImagePullFailed")

    assert place.conditions() == {"Ready": ("False", "ImagePullFailed"), "Reconciling": ("True", RETRYING)}
    # Which of the two the operator sees first is a matter of milliseconds.
    assert place.message().replace("ImagePullBackOff", "ErrImagePull") == (
        f"Pod POD shop/1 cannot pull its image (ErrImagePull): {missing}: not found. Check spec.migrations.image and "
        "spec.migrations.pullSecrets; the operator retries automatically."
    )
    place.patch(migrations={"image": place.image})
    place.wait("UpToDate")
    assert place.message() == "Job shop/2 applied 1 revision in SECONDS: a1. The database is at revision a1."
    assert len(place.jobs()) == 1


def test_missing_alembic_is_told(place: Place, built: dict[str, str]) -> None:
    place.apply("plain", "a1", migrations={"image": built["without-alembic"]})

    place.wait("AlembicMissing")

    assert place.conditions() == stalled("AlembicMissing")
    assert place.message() == (
        "Importing Alembic in the image: the module alembic is missing. Add alembic to the image's requirements, or "
        f"name the interpreter that has it in spec.migrations.python (such as /app/.venv/bin/python). {STALLED}"
    )


def test_missing_interpreter_is_told(place: Place) -> None:
    place.apply("plain", "a1", migrations={"python": "/app/.venv/bin/python"})

    place.wait("PodNotStarting")

    assert place.conditions() == {"Ready": ("False", "PodNotStarting"), "Reconciling": ("True", RETRYING)}
    assert place.message() == (
        "Pod POD shop/1 could not start its container (StartError): failed to create containerd task: failed to create "
        "shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "
        '"/app/.venv/bin/python": stat /app/.venv/bin/python: no such file or directory: unknown. Check '
        "spec.migrations.python: it must name a Python >= 3.9 in the image. Next attempt at TIME."
    )


def test_unknown_revision_is_told_with_those_that_are_known(place: Place) -> None:
    place.apply("plain", "a4")

    place.wait("RevisionNotFound")

    assert place.conditions() == stalled("RevisionNotFound")
    assert place.message() == (
        'Looking for spec.revision "a4" in /histories/plain/alembic.ini of the image: no file declares it among 3 '
        "revisions; its heads are a3. Name a full revision id, or an image that has it."
        f" {STALLED}"
    )


def test_two_heads_are_named_and_one_of_them_is_taken(places: Places) -> None:
    with places(development=True) as place:
        place.secret()
        place.apply("two-heads", "head")

        place.wait("MultipleHeads")

        assert place.conditions() == stalled("MultipleHeads")
        assert place.message() == (
            "Resolving spec.revision head: /histories/two-heads/alembic.ini of the image has 2 heads: b1 (b1.py), "
            "b2 (b2.py). To apply all of them, write heads, or spec.revisions: [b1, b2]; otherwise name one full "
            f"revision id, or add a merge revision (alembic merge heads). {STALLED}"
        )
        place.patch(revision="b2")
        place.wait("UpToDate")
        assert place.revisions() == ["b2"]


def test_head_is_followed_in_a_development_namespace(places: Places) -> None:
    with places(development=True) as place:
        place.secret()
        tagged = images.tag(place.image, "newest")
        place.apply("plain", "head", migrations={"image": tagged})

        status = place.wait("UpToDate")

        assert (status["current"], status["targetRevision"]) == ("a3", "a3")
        assert place.events()[0][2] == "Job shop/1 is migrating the database to revision head."


def test_tag_is_refused_by_the_operator_when_the_namespace_is_no_longer_for_development(places: Places) -> None:
    with places(development=True) as place:
        place.secret()
        tagged = images.tag(place.image, "newest")
        place.apply("plain", "a1", migrations={"image": tagged})
        place.wait("UpToDate")
        place.cluster.kubectl("label", "namespace", place.namespace, "alembic-operator.dev/environment-")

        place.annotate("reconcile-at", "now")

        place.wait("ImageNotPinned")
        assert place.conditions() == stalled("ImageNotPinned")
        assert place.message() == (
            f"spec.migrations.image: {tagged} is not pinned by a digest. Outside a namespace labelled "
            "alembic-operator.dev/environment=development, write it as name@sha256:<64 hex>, so that what "
            "was reviewed is what runs."
        )


def test_what_may_change_unseen_is_not_taken_outside_development(place: Place) -> None:
    made = place.manifest("shop", "plain", "head")

    with pytest.raises(CommandFailed, match="must be a revision's id: head and heads are for namespaces"):
        place.create(made)


def test_migrations_run_from_a_config_map_in_the_runners_image(
    place: Place, tmp_path: Path, built: dict[str, str]
) -> None:
    place.create(_config_map(tmp_path))
    manifest = place.manifest("shop", "plain", "a3")
    manifest["spec"]["migrations"] = {"configMap": {"name": "files"}}
    place.create(manifest)

    place.wait("UpToDate")

    assert place.message() == "Job shop/1 applied 3 revisions in SECONDS: a1, a2, a3. The database is at revision a3."
    container = place.jobs()[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == built["runner"]


def test_missing_config_map_is_told_and_its_creation_is_enough(place: Place, tmp_path: Path) -> None:
    manifest = place.manifest("shop", "plain", "a1")
    manifest["spec"]["migrations"] = {"configMap": {"name": "files"}}
    place.create(manifest)

    place.wait("ConfigMapNotFound")

    assert place.conditions() == {"Ready": ("False", "ConfigMapNotFound"), "Reconciling": ("True", RETRYING)}
    assert place.message() == (
        "Reading the migrations of spec.migrations.configMap: the ConfigMap does not exist in the namespace, or has "
        "no key that ends in .py. Create it, or correct its name in the spec. Next attempt at TIME."
    )
    place.create(_config_map(tmp_path))
    place.wait("UpToDate")


def _config_map(folder: Path) -> dict[str, object]:
    histories.write(folder)
    files = {path.name: path.read_text() for path in (folder / "plain/migrations/versions").glob("*.py")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": files}
