"""The image's migration history: every file loaded once, errors named with ids and files."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError, RevisionMap

from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..alembic_private import build_graph, forget_version_locations, load_revisions, version_locations
from ..database.secret import Target
from ..database.sql_errors import print_error
from ..environment.configuration import Configuration, open_directory, plain
from ..environment.environments import Environment
from ..environment.program import Work
from ..errors import RunFailed
from ..terms import AN_IMAGE, AND_A_NEW_IMAGE, IMAGE, LOG, REVISION, REVISIONS
from .graph import Graph, RevisionFile, find_errors
from .ids import flow, hint
from .sources import Sources, compiled_from_source, real_path
from .unread_files import MAKE_READ, Unread, find_compiled, find_unread, listed, missing_from


@dataclass(frozen=True)
class History:
    """What Alembic needs to run, the graph that the decisions are made on, and which files were imported for it.

    Attributes:
        environment: how a run comes to a connection and its options; None where nothing is run.
        warnings: one sentence each, on what stops nothing.
    """

    config: Config
    script: ScriptDirectory
    graph: Graph
    sources: Sources = field(default_factory=Sources)
    environment: Environment | None = None
    warnings: tuple[str, ...] = ()

    def run(self, work: Work) -> None:
        """Run Alembic's environment once.

        Raises:
            RunFailed: EnvironmentFailed, for env.py.
            Exception: with which a step failed.
        """
        if self.environment is None:
            raise RuntimeError("the history was loaded to be looked at")
        self.environment.run(work)


@dataclass(frozen=True)
class Project:
    """The project before a revision is imported.

    Attributes:
        configuration: how its configuration is read.
        script: where its files are; what env.py makes of it counts.
        sources: what is imported from there.
    """

    configuration: Configuration
    script: ScriptDirectory
    sources: Sources


def open_project(request: RunRequest, target: Target | None = None) -> Project:
    """Read the configuration. Nothing of the project's is imported.

    Raises:
        RunFailed: InvalidSpec (no ini file, no directory), ConfigMapNotFound.
    """
    configuration, script = open_directory(request, target)
    project = Project(configuration, script, compiled_from_source([script.dir, *map(str, version_locations(script))]))
    forget_version_locations(script)
    return project


def load_history(
    request: RunRequest, project: Project | None = None, environment: Environment | None = None
) -> History:
    """Read the revision files.

    Raises:
        RunFailed: InvalidHistory; what open_project raises.
    """
    project = project or open_project(request)
    script, sources = project.script, project.sources
    folders = version_locations(script)
    sources.cover(folders)
    _check_folders(request, folders)
    scripts = _load(script)
    _check_compiled(request, find_compiled([script.dir, *folders], [str(one.path) for one in scripts]))
    script.revision_map = RevisionMap(lambda: iter(scripts))
    labels = {label: one.revision for one in scripts for label in one.branch_labels}
    files = [_describe(one, labels, sources, several=len(folders) > 1) for one in scripts]
    unread = find_unread([script.dir, *folders], {real_path(one.path) for one in scripts})
    errors = find_errors(files) or _refused_by_alembic(script)
    if errors:
        raise _invalid(request, "; ".join(errors), *_where_parents_are(files, unread))
    graph = Graph({file.revision: file for file in files})
    if missing := missing_from(graph, unread):
        which = "revisions that follow those that are read" if graph.files else "revisions"
        raise _invalid(request, f"{which} are in {listed(missing)}, which Alembic does not read", MAKE_READ)
    warnings = (f"Revisions are in {listed(unread)}, which Alembic does not read. {MAKE_READ}",) if unread else ()
    config = project.configuration.config(Direction.UPGRADE, request.revision)
    return History(config, script, graph, sources, environment, warnings)


def resolve_targets(request: RunRequest, graph: Graph) -> list[str]:
    """The full ids that spec.revision or spec.revisions mean, sorted.

    Raises:
        RunFailed: RevisionNotFound, MultipleHeads where `head` is not one revision, or InvalidSpec where one of several
            is contained in another.
    """
    heads, wanted = graph.heads, request.wanted
    if wanted == ["head"] and len(heads) > 1:
        listed = ", ".join(f"{head} ({graph.files[head].path})" for head in heads[:8])
        raise RunFailed(
            Reason.MULTIPLE_HEADS,
            f"Resolving {REVISION} head: {_where(request)} has {len(heads)} heads: {listed}. To apply all of "
            f"them, write heads, or {REVISIONS}: {flow(heads, 5)}; otherwise name one full revision id, or add a "
            "merge revision (alembic merge heads).",
        )
    if wanted in (["head"], ["heads"]) and heads:
        return heads
    for revision in wanted:
        if revision not in graph.files:
            raise _not_found(request, revision, graph)
    _check_apart(wanted, graph)
    return sorted(wanted)


def _check_apart(wanted: list[str], graph: Graph) -> None:
    """See that no target is named twice, or contained in another: each is to be a row of the version table."""
    twice = sorted({one for one in wanted if wanted.count(one) > 1})
    if twice:
        raise RunFailed(
            Reason.INVALID_SPEC, f'Reading {REVISIONS}: "{twice[0]}" is named twice. Name each revision once.'
        )
    for one in graph.stale_rows(sorted(wanted)):
        by = next(other for other in wanted if other != one and one in graph.ancestors([other]))
        raise RunFailed(
            Reason.INVALID_SPEC,
            f'Reading {REVISIONS}: "{one}" is contained in "{by}", which follows it or depends on it, so it is '
            f'not a separate head. Leave "{one}" out.',
            revision=one,
        )


def _not_found(request: RunRequest, revision: str, graph: Graph) -> RunFailed:
    name = f"{REVISIONS}" if request.revisions else f"{REVISION}"
    heads = graph.heads
    shown = f"its heads are {', '.join(heads[:5])}" if heads else "it has no revisions"
    return RunFailed(
        Reason.REVISION_NOT_FOUND,
        f'Looking for {name} "{revision}" in {_where(request)}: no file declares it among '
        f"{len(graph.files)} revisions; {shown}.{hint(revision, graph)} Name a full revision id, or {AN_IMAGE} that "
        "has it.",
    )


def _check_folders(request: RunRequest, folders: list[Path]) -> None:
    """See that each version location is there: Alembic passes over one that is not, with all its revisions."""
    absent = [str(folder) for folder in folders if not folder.is_dir()]
    if absent:
        raise _invalid(
            request,
            f"the folder {', '.join(absent[:3])} that revisions are read from does not exist",
            "Correct version_locations or script_location, or add the folder to a new image.",
        )


def _check_compiled(request: RunRequest, compiled: list[str]) -> None:
    """See that all code has its source: Alembic reads revisions without it where `sourceless` is set."""
    if compiled:
        raise _invalid(
            request,
            f"compiled without the source: {', '.join(compiled[:3])}{', …' if len(compiled) > 3 else ''}",
            "They can be neither reviewed nor compared: add the source files to a new image, or remove the compiled "
            "ones.",
        )


def _where_parents_are(files: list[RevisionFile], unread: list[Unread]) -> list[str]:
    """What to do where revisions follow some that stand in files that are not read."""
    wanted = {parent for file in files for parent in file.parents} - {file.revision for file in files}
    found = [file for file in unread if file.revision in wanted]
    return [f"They are in {listed(found)}, which Alembic does not read. {MAKE_READ}"] if found else []


def _invalid(request: RunRequest, found: str, todo: str = f"Correct the files{AND_A_NEW_IMAGE}.") -> RunFailed:
    return RunFailed(Reason.INVALID_HISTORY, f"Reading the migrations in {_where(request)}: {found}.", todo)


def _load(script: ScriptDirectory) -> list[Script]:
    """Import every file, once."""
    try:
        return load_revisions(script)
    except (Exception, SystemExit) as error:
        print_error(error, words=False)  # a settings class tells the environment's values, for one
        name = _culprit(error, [str(location) for location in version_locations(script)])
        where = f"the migration file {name}" if name else "the migration files"
        raise RunFailed(
            Reason.INVALID_HISTORY,
            f"Importing {where}: {plain(error)}. The traceback is in the {LOG}. "
            f"Correct the file, or what it imports{AND_A_NEW_IMAGE}.",
        ) from error


def _refused_by_alembic(script: ScriptDirectory) -> list[str]:
    """What Alembic itself says against files that are sound one by one: a branch label that two have, for one."""
    try:
        build_graph(script)
    except RevisionError as error:
        return [str(error).rstrip(".")]
    return []


def _describe(one: Script, labels: dict[str, str], sources: Sources, *, several: bool) -> RevisionFile:
    path = Path(one.path)
    return RevisionFile(
        revision=one.revision,
        down=_ids(one.down_revision),
        depends=tuple(labels.get(name, name) for name in _ids(one.dependencies)),
        path=f"{path.parent.name}/{path.name}" if several else path.name,
        sha256=sources.sha256(path),
        labels=tuple(sorted(name for name, owner in labels.items() if owner == one.revision)),
    )


def _ids(value: str | tuple[str, ...] | list[str] | set[str] | None) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _culprit(error: BaseException, locations: list[str]) -> str:
    """The migration file that an import failed in; "" where that is not known."""
    if isinstance(error, SyntaxError) and error.filename:
        return os.path.basename(error.filename)  # noqa: PTH119
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(".py") and frame.filename.startswith(tuple(locations)):
            return os.path.basename(frame.filename)  # noqa: PTH119
    return ""


def _where(request: RunRequest) -> str:
    if request.config_file == "":
        return "the ConfigMap of spec.migrations.configMap"
    return f"{request.path}/{request.config_file} of the {IMAGE}"
