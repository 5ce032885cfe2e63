"""Faults in what crosses the Job boundary."""

from __future__ import annotations

from ..mutant import Mutant

CONTRACT: tuple[Mutant, ...] = (
    Mutant(
        "the lock's key is unsigned in one version",
        "contract/locks.py",
        'return int.from_bytes(hashlib.sha256(history.encode("utf-8")).digest()[:4], "big", signed=True)',
        'return int.from_bytes(hashlib.sha256(history.encode("utf-8")).digest()[:4], "big")',
        "tests/component/contract/test_bootstrap.py",
    ),
    Mutant(
        "two schemas' version tables share a lock",
        "contract/locks.py",
        'return f"{schema}.{table}"',
        "return table",
        "tests/component/contract/test_bootstrap.py",
    ),
    Mutant(
        "an approval does not cover where autocommit blocks are",
        "contract/digests.py",
        "return [[one.fingerprint, one.ddl, one.autocommit] for one in statements]",
        "return [[one.fingerprint, one.ddl] for one in statements]",
        "tests/unit/contract/test_digests.py",
    ),
    Mutant(
        "a short secret is masked before a longer one that holds it",
        "contract/masking.py",
        "for secret in sorted(filter(None, secrets), key=len, reverse=True):",
        "for secret in sorted(filter(None, secrets), key=len):",
        "tests/unit/contract/test_masking.py",
    ),
    Mutant(
        "passwords in URLs are shown",
        "contract/masking.py",
        'if "://" in sql:',
        'if "://" in sql and secrets:',
        "tests/unit/contract/test_masking.py",
    ),
    Mutant(
        "a plan from the log is not held against its hash",
        "contract/plan_records.py",
        "if hashlib.sha256(packed).hexdigest() != sha256:",
        "if not packed:",
        "tests/unit/contract/test_plan_records.py",
    ),
    Mutant(
        "a plan is unpacked whatever its size",
        "contract/plan_records.py",
        "text = inflate.decompress(packed, largest)",
        "text = inflate.decompress(packed)",
        "tests/unit/contract/test_plan_records.py",
    ),
    Mutant(
        "the first of two records with one number counts",
        "contract/plan_records.py",
        "parts.update(_part(record_in(line)))",
        "parts = {**_part(record_in(line)), **parts}",
        "tests/unit/contract/test_plan_records.py",
    ),
    Mutant(
        "a planned UPDATE may be sent outside of its transaction",
        "contract/guard.py",
        "if (value, autocommit) not in self.step.free:",
        "if not {(value, True), (value, False)} & self.step.free:",
        "tests/unit/contract/test_guard.py",
    ),
    Mutant(
        "a revision may leave planned DDL out",
        "contract/guard.py",
        "if self.step.guarded and self._next() is not None:",
        "if self.step.guarded and not self.step.ordered:",
        "tests/unit/contract/test_guard.py",
    ),
    Mutant(
        "DDL may be sent once more than planned",
        "contract/guard.py",
        "return self._sent[at] == self.step.ordered[at].executions",
        "return self._sent[at] > self.step.ordered[at].executions",
        "tests/unit/contract/test_guard.py",
    ),
    Mutant(
        "DDL may come in any order",
        "contract/guard.py",
        "return at == self._first if after is None else all(map(self._whole, after))",
        "return after is None or all(map(self._whole, after))",
        "tests/unit/contract/test_guard.py",
    ),
    Mutant(
        "a bundle follows symbolic links",
        "contract/bundle.py",
        "if entry.is_symlink():",
        "if entry.is_symlink() and not path.exists():",
        "tests/unit/contract/test_bundle.py",
    ),
    Mutant(
        "line ends count in a bundle",
        "contract/bundle.py",
        'return content if b"\\0" in content else content.replace(b"\\r\\n", b"\\n")',
        "return content",
        "tests/unit/contract/test_bundle.py",
    ),
    Mutant(
        "the Job runs a zipapp of another hash",
        "contract/bootstrap.py",
        "if found != {sha256!r}:",
        "if not found:",
        "tests/component/contract/test_bootstrap.py",
    ),
    Mutant(
        "a mismatch is planned again by itself",
        "contract/reasons.py",
        "ReasonClass.REPLAN: (Reason.PLAN_CHANGED,),",
        "ReasonClass.REPLAN: (Reason.PLAN_CHANGED, Reason.STATEMENT_MISMATCH),",
        "tests/unit/contract/test_reasons.py",
    ),
)
