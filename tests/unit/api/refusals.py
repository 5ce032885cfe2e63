"""Illegal manifests in few words: what is changed in a legal one, where it is refused, and what is said."""

from __future__ import annotations

from typing import Any

from .manifests import Illegal


def refused(name: str, changes: dict[str, Any], path: str, said: str = "", rule: str = "") -> Illegal:
    """An illegal manifest by changes of its spec; an illegal text is quoted in what is said."""
    return Illegal(
        name,
        {f"spec.{key}": value for key, value in changes.items()},
        f"spec.{path}",
        said or "Invalid value: ",
        rule,
    )


def unknown(name: str, changes: dict[str, Any], path: str) -> Illegal:
    """A field that strict reading refuses, and that a mistaken word would otherwise drop in silence."""
    return Illegal(name, {f"spec.{key}": value for key, value in changes.items()}, said=f'unknown field "spec.{path}"')


def text(name: str, path: str, value: str, rule: str) -> Illegal:
    """An illegal text at one path."""
    return refused(name, {path: value}, path, f'Invalid value: "{value}": ', rule)


def item(name: str, key: str, value: dict[str, Any], at: str, *, said: str = "", rule: str = "") -> Illegal:
    """An illegal item of one of the lists of spec.job."""
    return refused(name, {f"job.{key}": [value]}, f"job.{key}[0]{at}", said, rule)


def mount(name: str, path: str, rule: str) -> Illegal:
    """A mount of a legal volume at an illegal path."""
    return refused(
        name,
        {"job.volumes": [{"name": "ca", "emptyDir": {}}], "job.volumeMounts": [{"name": "ca", "mountPath": path}]},
        "job.volumeMounts[0].mountPath",
        f'Invalid value: "{path}": ',
        rule,
    )
