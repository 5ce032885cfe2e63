"""Builds images from Dockerfiles and pushes them, without a container service.

Every call of buildah runs in its own mount and process namespaces, so that nothing outlives it, whatever ends it.
"""

from __future__ import annotations

import ast
import http.client
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import packages, python_base
from .binary import cache_folder
from .locks import locked
from .node import overlay_possible
from .oci import write_archive
from .processes import CommandFailed, checked
from .progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ISOLATED = 'mount -t tmpfs tmpfs "$1"; shift; exec buildah "$@"'
_BUILD_TIMEOUT = 1200
_LAYERS_KEPT = 500  # of some megabytes each; a new store costs a minute


def _storage() -> Path:
    folder = cache_folder() / "images"
    (folder / "run").mkdir(parents=True, exist_ok=True)
    return folder


def buildah(*arguments: str | Path, timeout: float = 120) -> str:
    """Run buildah on the store of the tests and give its output; CommandFailed when it fails."""
    storage = _storage()
    driver = "overlay" if overlay_possible(storage) else "vfs"
    config = storage / "storage.conf"
    config.write_text(
        f'[storage]\ndriver = "{driver}"\ngraphroot = "{storage}/root"\nrunroot = "{storage}/run"\n', "utf-8"
    )
    isolated: list[str | Path] = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    script = [*isolated, "--mount-proc", "/bin/sh", "-ec", _ISOLATED, "sh", storage / "run"]
    environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(config), "TMPDIR": str(storage / "work")}
    try:
        return checked([*script, *arguments], environment=environment, timeout=timeout)
    except CommandFailed as failed:
        raise CommandFailed(["buildah", *(str(word) for word in arguments)], failed.code, failed.said) from None


def base_image(interpreter: str | Path = sys.executable) -> str:
    """The name, in buildah's store, of an image with a CPython of this machine, pip and busybox.

    Args:
        interpreter: Which CPython; the running one without it.
    """
    _check()
    with _workshop() as work:
        return _base_image(interpreter, work)


def _check() -> None:
    packages.check_machine()
    packages.ensure(packages.IMAGES)


def _base_image(interpreter: str | Path, work: Path) -> str:
    python = python_base.Interpreter.of(interpreter)
    name = f"localhost/python-base:{python.version}-{python.key()}"
    stamp = _storage() / "bases" / name.rpartition(":")[2]
    if not stamp.exists():
        with step(f"making the base image of CPython {python.version}"):
            root, archive = work / "root", work / "base.tar"
            root.mkdir()
            python_base.make(root, python)
            write_archive(root, name, archive, command=["python3"], environment=python_base.ENVIRONMENT)
            buildah("pull", "--quiet", f"oci-archive:{archive}")
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    return name


def push_files(
    fill: Callable[[Path], None],
    *,
    name: str,
    key: str,
    registry: str,
    environment: Mapping[str, str],
    command: Sequence[str],
) -> str:
    """Push an image that is made from files of this machine.

    Args:
        fill: Fills an empty folder with what becomes `/`, all of it root's.
        name: The repository in the registry.
        key: Changes when the files would: of one key the image is made once a machine.
        registry: Host and port.
        environment: The image's.
        command: What runs where a container names nothing else.

    Returns:
        The image by digest, as `build` gives it.
    """
    _check()
    with _workshop() as work:
        stamp = _storage() / "bases" / f"{name}-{key}"
        if not stamp.exists():
            with step(f"making the image {name}"):
                root, archive = work / "root", work / "image.tar"
                root.mkdir()
                fill(root)
                write_archive(root, f"localhost/{name}:{key}", archive, command=command, environment=environment)
                identity = buildah("pull", "--quiet", f"oci-archive:{archive}").strip()
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(identity, "utf-8")
        return f"{registry}/{name}@{_push(stamp.read_text('utf-8'), registry, name, work)}"


def build(
    context: Path,
    dockerfile: Path | None = None,
    *,
    name: str,
    registry: str,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
) -> str:
    """Build an image from a Dockerfile and push it.

    `BASE_IMAGE` is `base_image()` where the build arguments do not say otherwise; no image is fetched. RUN instructions
    see this machine's network and its settings of pip, which the image does not keep.

    Args:
        context: What COPY copies from.
        dockerfile: `context/Dockerfile` without it.
        name: The repository in the registry, such as `shop`.
        registry: Host and port: `cluster.registry`.
        build_args: For the Dockerfile's ARG instructions.
        target: The stage to build; the last one without it.

    Returns:
        The image by digest, such as `10.78.1.1:5000/shop@sha256:…`.
    """
    _check()
    arguments = dict(build_args or {})
    with _workshop() as work, step(f"building the image {name}"):
        if "BASE_IMAGE" not in arguments:
            arguments["BASE_IMAGE"] = _base_image(sys.executable, work)
        command: list[str | Path] = ["build", "--quiet", "--isolation=chroot", "--pull-never", "--layers"]
        command += [f"--build-arg={key}={value}" for key, value in sorted(arguments.items())]
        command += [f"--volume={mount}:ro" for mount in _pip_mounts(work)]
        command += [f"--target={target}"] if target else []
        command += ["-f", dockerfile or context / "Dockerfile", f"--iidfile={work}/id", f"--tag=localhost/{name}"]
        buildah(*command, context, timeout=_BUILD_TIMEOUT)
        identity = (work / "id").read_text().removeprefix("sha256:")
        return f"{registry}/{name}@{_push(identity, registry, name, work)}"


def _push(identity: str, registry: str, name: str, work: Path) -> str:
    """Push an image where the registry does not have it; its digest."""
    tag = f"build-{identity[:20]}"
    plain = _speaks_http(registry)
    if plain:
        status, digest, _ = _manifest(registry, name, tag)
        if status == http.HTTPStatus.OK:
            return digest
    command = ["push", "--quiet", "--format=oci", f"--tls-verify={str(not plain).lower()}"]
    # Unpacked to the registry on this machine: packing takes longer than copying.
    command += ["--disable-compression"] if plain else []
    buildah(*command, f"--digestfile={work}/digest", identity, f"docker://{registry}/{name}:{tag}", timeout=600)
    return (work / "digest").read_text().strip()


def _speaks_http(registry: str) -> bool:
    """Whether a registry is reached without TLS, as the cluster's own is."""
    connection = http.client.HTTPConnection(registry, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in {http.HTTPStatus.OK, http.HTTPStatus.UNAUTHORIZED}
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tag(reference: str, name: str) -> str:
    """Give an image of the cluster's own registry a tag; the image by that tag.

    Args:
        reference: What `build` returned.
        name: The tag; one that is there already moves.
    """
    repository, _, digest = reference.partition("@")
    registry, _, path = repository.partition("/")
    status, _, manifest = _manifest(registry, path, digest)
    if status == http.HTTPStatus.OK:
        status, _, _ = _manifest(registry, path, name, put=manifest)
    if status not in {http.HTTPStatus.OK, http.HTTPStatus.CREATED}:
        raise RuntimeError(f"cannot tag {reference} as {name}: the registry answers {status}")
    return f"{repository}:{name}"


def _manifest(registry: str, path: str, reference: str, put: bytes | None = None) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(registry, timeout=20)
    try:
        headers = {"Accept": _MANIFEST} if put is None else {"Content-Type": _MANIFEST}
        connection.request("GET" if put is None else "PUT", f"/v2/{path}/manifests/{reference}", put, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Docker-Content-Digest", ""), answer.read()
    finally:
        connection.close()


@contextmanager
def _workshop() -> Iterator[Path]:
    """An empty folder, for one at a time; before, what a killed run left goes, and a store that grew too large."""
    work = _storage() / "work"
    with locked(_storage() / "lock"):
        cut_off = work.exists()
        layers = _storage() / "root" / "overlay"
        if layers.exists() and len(list(layers.iterdir())) > _LAYERS_KEPT:
            for folder in ("root", "bases", "work"):
                shutil.rmtree(_storage() / folder, ignore_errors=True)
        elif cut_off:
            shutil.rmtree(work)
        work.mkdir()
        if cut_off:
            buildah("rm", "--all")
        try:
            yield work
        finally:
            shutil.rmtree(work)


def _pip_mounts(work: Path) -> list[str]:
    """This machine's settings of pip as a file to mount, and the files and folders that they name."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    settings: dict[str, dict[str, str]] = {}
    mounts = []
    for line in done.stdout.splitlines() if done.returncode == 0 else ():
        key, _, quoted = line.partition("=")
        section, _, option = key.rpartition(".")
        value = str(ast.literal_eval(quoted))
        settings.setdefault("global" if section == ":env:" else section, {})[option] = value
        mounts += [f"{word}:{word}" for word in value.split() if word.startswith("/") and Path(word).exists()]
    file = work / "pip.conf"
    sections = (
        [f"[{section}]", *(f"{option} = {value}" for option, value in options.items())]
        for section, options in settings.items()
    )
    file.write_text("\n".join(line for lines in sections for line in lines) + "\n")
    return sorted({*mounts, f"{file}:/etc/pip.conf"})
