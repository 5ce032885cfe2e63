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
    from collections.abc import Iterator, Mapping

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ISOLATED = 'mount -t tmpfs tmpfs "$1"; shift; exec buildah "$@"'
_BUILD_TIMEOUT = 1200


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
    environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(config), "BUILDAH_ISOLATION": "chroot"}
    try:
        return checked([*script, *arguments], environment=environment, timeout=timeout)
    except CommandFailed as failed:
        raise CommandFailed(["buildah", *(str(word) for word in arguments)], failed.code, failed.said) from None


def base_image(interpreter: str | Path = sys.executable) -> str:
    """The name, in buildah's store, of an image with a CPython of this machine, pip and busybox.

    Args:
        interpreter: Which CPython; the running one without it.
    """
    packages.check_machine()
    packages.ensure(packages.IMAGES)
    python = python_base.Interpreter.of(interpreter)
    name = f"localhost/python-base:{python.version}-{python.key()}"
    stamp = _storage() / "bases" / name.rpartition(":")[2]
    if stamp.exists():
        return name
    with _workshop() as work:
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
    arguments = {"BASE_IMAGE": (build_args or {}).get("BASE_IMAGE") or base_image(), **(build_args or {})}
    packages.ensure(packages.IMAGES)
    with _workshop() as work, step(f"building the image {name}"):
        command: list[str | Path] = ["build", "--quiet", "--isolation=chroot", "--pull-never", "--layers"]
        command += [f"--build-arg={key}={value}" for key, value in sorted(arguments.items())]
        command += [f"--volume={mount}:ro" for mount in _pip_mounts(work)]
        command += [f"--target={target}"] if target else []
        command += ["-f", dockerfile or context / "Dockerfile", f"--iidfile={work}/id", f"--tag=localhost/{name}"]
        buildah(*command, context, timeout=_BUILD_TIMEOUT)
        identity = (work / "id").read_text().removeprefix("sha256:")
        return f"{registry}/{name}@{_push(identity, registry, name)}"


def _push(identity: str, registry: str, name: str) -> str:
    """Push an image where the registry does not have it; its digest."""
    tag = f"build-{identity[:20]}"
    status, digest, _ = _manifest(registry, name, tag)
    if status == http.HTTPStatus.OK:
        return digest
    # Unpacked layers: the way is short, and packing takes longer than copying.
    place = f"docker://{registry}/{name}:{tag}"
    buildah("push", "--quiet", "--tls-verify=false", "--disable-compression", "--format=oci", identity, place)
    status, digest, _ = _manifest(registry, name, tag)
    if status != http.HTTPStatus.OK:
        raise RuntimeError(f"pushed {place}, but the registry answers {status}")
    return digest


def tag(reference: str, name: str) -> str:
    """Give an image of the registry a tag; the image by that tag.

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
    """An empty folder, for one at a time; it also clears away what a killed run left."""
    work = _storage() / "work"
    with locked(_storage() / "lock"):
        if work.exists():
            shutil.rmtree(work)
            buildah("rm", "--all")
        work.mkdir()
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
