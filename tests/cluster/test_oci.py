"""What the writer of image archives promises."""

from __future__ import annotations

import json
import os
import tarfile
from typing import TYPE_CHECKING

from .oci import write_archive

if TYPE_CHECKING:
    from pathlib import Path


def files(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "tool").write_text("#!/bin/sh\n")
    (root / "bin" / "tool").chmod(0o755)
    (root / "link").symlink_to("bin/tool")
    return root


def test_the_archive_is_the_same_when_only_times_differ(tmp_path: Path) -> None:
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    os.utime(two / "bin" / "tool", (1, 1))
    for root in (one, two):
        write_archive(root, "localhost/tool:1", root.with_suffix(".tar"), entrypoint=["/link"])
    assert one.with_suffix(".tar").read_bytes() == two.with_suffix(".tar").read_bytes()


def test_the_archive_names_image_and_entry_point_and_keeps_modes_and_links(tmp_path: Path) -> None:
    archive = tmp_path / "tool.tar"
    write_archive(files(tmp_path / "root"), "localhost/tool:1", archive, entrypoint=["/link"], environment={"A": "b"})

    def read(tar: tarfile.TarFile, name: str) -> dict[str, object]:
        member = tar.extractfile(name)
        assert member is not None
        content: dict[str, object] = json.load(member)
        return content

    def blob(descriptor: object) -> str:
        assert isinstance(descriptor, dict)
        return f"blobs/{descriptor['digest'].replace(':', '/')}"

    with tarfile.open(archive) as tar:
        manifests = read(tar, "index.json")["manifests"]
        assert isinstance(manifests, list)
        assert manifests[0]["annotations"]["org.opencontainers.image.ref.name"] == "localhost/tool:1"
        manifest = read(tar, blob(manifests[0]))
        config = read(tar, blob(manifest["config"]))["config"]
        assert config == {"Cmd": [], "Entrypoint": ["/link"], "Env": ["A=b"], "WorkingDir": "/"}
        layers = manifest["layers"]
        assert isinstance(layers, list)
        with tarfile.open(fileobj=tar.extractfile(blob(layers[0]))) as layer:
            modes = {member.name: (oct(member.mode), member.linkname, member.uid) for member in layer}
    assert modes["bin/tool"] == ("0o755", "", 0)
    assert modes["link"][1] == "bin/tool"
