"""Waivers: files beside the revisions that say why a finding is accepted, and until when.

`<revision>.review.yaml` is a list of {rule, object, reason, ticket, expires}. Whatever is wrong with one is a fault,
and a fault counts as an error: a waiver that does nothing is forgotten otherwise.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any

import yaml

from ..contract.plan import PlanDocument
from ..core.model.findings import NEVER_WAIVED, RULES, Finding

SUFFIX = ".review.yaml"
LARGEST, MOST, DEEPEST = 64 * 1024, 200, 4
_KEYS = {"rule", "object", "reason", "ticket", "expires"}
_NEEDED = ("rule", "reason", "expires")


@dataclass(frozen=True)
class Waiver:
    """One entry: findings of `rule` about `object` in `revision` are accepted until `expires`, that day included."""

    file: str
    revision: str
    rule: str
    object: str
    reason: str
    ticket: str
    expires: datetime.date

    @property
    def says(self) -> str:
        """Ticket and reason."""
        return f"{self.ticket}: {self.reason}" if self.ticket else self.reason


class _Fault(Exception):
    """What is wrong with an entry."""


def apply_waivers(
    findings: list[Finding], document: PlanDocument, today: datetime.date
) -> tuple[list[Finding], list[str]]:
    """The findings with what waives them, and what is wrong with the waivers.

    Only files of the plan's revisions are read: those of applied revisions have done their work.
    """
    faults: list[str] = []
    waivers: list[Waiver] = []
    planned = {step.revision for step in document.steps}
    for file, text in sorted(document.waivers.items()):
        revision = _revision(file, document)
        if revision in planned:
            found, wrong = read(file, revision, text, today)
            waivers += found
            faults += wrong
    used: set[Waiver] = set()
    kept = []
    for finding in findings:
        waiver = next((one for one in waivers if _meets(one, finding)), None)
        if waiver is None:
            kept.append(finding)
        else:
            used.add(waiver)
            kept.append(replace(finding, waived_by=waiver.says, waived_until=waiver.expires.isoformat()))
    for one in waivers:
        if one not in used:
            about = f" about {one.object}" if one.object else ""
            faults.append(
                f"{one.file}: the waiver of {one.rule}{about} matches no finding; remove it, or write rule and object "
                "exactly as in the finding."
            )
    return kept, faults


def _revision(file: str, document: PlanDocument) -> str:
    """The revision that a file belongs to: by the name of the revision's file, or by its id."""
    name = file.rpartition("/")[2].removesuffix(SUFFIX)
    for step in document.steps:
        if name in (step.revision, step.file.rpartition("/")[2].removesuffix(".py")):
            return step.revision
    return name


def _meets(waiver: Waiver, finding: Finding) -> bool:
    return (waiver.revision, waiver.rule, waiver.object) == (finding.revision, finding.rule, finding.object) and (
        finding.rule not in NEVER_WAIVED
    )


def read(file: str, revision: str, text: str, today: datetime.date) -> tuple[list[Waiver], list[str]]:
    """The waivers of a file, and what is wrong with it: sentences that begin with the file's name."""
    try:
        entries = _entries(text)
    except _Fault as fault:
        return [], [f"{file}: {fault}"]
    waivers, faults = [], []
    for number, entry in enumerate(entries, 1):
        try:
            waivers.append(_waiver(file, revision, entry, today))
        except _Fault as fault:
            faults.append(f"{file}, entry {number}: {fault}")
    return waivers, faults


def _entries(text: str) -> list[Any]:
    if len(text) > LARGEST:
        raise _Fault("it is larger than 64 KiB; keep the waivers of one revision in it, and nothing else.")
    try:
        _check(text)
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise _Fault(f"it is not valid YAML{where}; write a list of entries, see docs/waivers.md.") from None
    if not isinstance(found, list) or not found:
        raise _Fault("it is not a list of entries; write `- rule: …` for each, or remove the file.")
    if len(found) > MOST:
        raise _Fault(f"it has {len(found)} entries, but at most {MOST} are allowed; split the revision.")
    return found


def _check(text: str) -> None:
    """Refuse what would take long to read: an alias, which lets a few lines stand for a billion values, and nesting.

    64 KiB of `[` take PyYAML two minutes; the events come one by one, so that it ends at the fifth.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _Fault("it uses an alias (`*name`); write each entry out.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _Fault("it is nested more deeply than a list of entries; write `- rule: …` for each.")


def _waiver(file: str, revision: str, entry: Any, today: datetime.date) -> Waiver:
    if not isinstance(entry, dict):
        raise _Fault(f"it is not a mapping; write the keys {', '.join(sorted(_KEYS))}.")
    unknown = sorted(str(key)[:40] for key in entry if key not in _KEYS)
    if unknown:
        raise _Fault(f"it has the unknown key {unknown[0]}; the valid keys are {', '.join(sorted(_KEYS))}.")
    missing = [key for key in _NEEDED if entry.get(key) in (None, "")]
    if missing:
        raise _Fault(f"{missing[0]} is missing; an entry needs {', '.join(_NEEDED)}.")
    texts = {key: _text(key, entry.get(key)) for key in ("rule", "object", "reason", "ticket")}
    rule = texts["rule"]
    if rule in NEVER_WAIVED:
        raise _Fault(f"{rule} cannot be waived; correct the revision.")
    if rule not in RULES:
        raise _Fault(f"there is no rule {rule[:40]}; docs/rules.md lists all rules.")
    expires = _date(entry["expires"])
    if expires < today:
        raise _Fault(f"the waiver of {rule} expired on {expires.isoformat()}; decide again, and set a later date.")
    return Waiver(file, revision, expires=expires, **texts)


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _Fault(f"{key} is not a text.")
    return " ".join(str(value).split())[:500]


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise _Fault("expires is not a date; write it like 2026-12-31.") from None
