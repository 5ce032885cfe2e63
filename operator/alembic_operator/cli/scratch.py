"""The scratch database: made beside others on a server, restored from the target, dropped at the end in any case."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from alembic_operator.cli import interrupts
from alembic_operator.cli.failure import CannotPlan
from alembic_operator.cli.server import Server
from alembic_operator.contract import job_env

_LOCK_WAIT = "10s"  # pg_dump takes ACCESS SHARE on every table, which waits behind ALTER TABLE alone
_MAJOR = "SELECT pg_catalog.current_setting('server_version_num')::int / 10000"
# The locale C goes with every encoding, the server's own with UTF8 alone.
_LIKE = """SELECT pg_catalog.format('ENCODING %L', pg_catalog.pg_encoding_to_char(encoding))
    || CASE pg_catalog.pg_encoding_to_char(encoding) WHEN 'UTF8' THEN '' ELSE ' LOCALE ''C''' END
  FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"""
_ROLES = "SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
_POWERLESS = f"{_ROLES.partition(' ORDER')[0]} AND NOT rolsuper"
# What a dump of the schema leaves out; the owner has rights on schema public.
_RIGHTS = """SELECT pg_catalog.format('ALTER DATABASE {name} OWNER TO %I', pg_catalog.pg_get_userbyid(datdba))
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
  UNION ALL
  SELECT pg_catalog.format('GRANT %s ON DATABASE {name} TO %s', a.privilege_type,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
    FROM pg_catalog.pg_database d, LATERAL pg_catalog.aclexplode(d.datacl) AS a
    WHERE d.datname = pg_catalog.current_database()"""
_SUPERUSER = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"


@contextmanager
def scratch_database(target: Server, shadow: Server) -> Iterator[Server]:
    """A database with the schema of the target and none of its rows, on the shadow's server.

    Roles of the target that the server lacks are made as NOLOGIN superusers, as in the cluster's shadow, and dropped
    again. One that is there already and is no superuser, as where both are on one server, is left as it is: so that a
    SET ROLE to it can do what it can on the target, all objects have their owners and grants then.

    Raises:
        CannotPlan: it could not be made, with the remedy.
    """
    like = _check(target, shadow)
    name = f"alembic_operator_shadow_{secrets.token_hex(6)}"
    made: list[str] = []
    try:
        shadow.query(f"CREATE DATABASE {name} TEMPLATE template0 {like}", doing="Creating the scratch database")
        theirs = target.query(_ROLES, doing="Reading the target's roles")
        ours = set(shadow.query(_ROLES, doing="Reading the shadow's roles"))
        for role in theirs:
            if role not in ours:
                shadow.query(f"CREATE ROLE {role} SUPERUSER NOLOGIN", doing="Creating the target's roles in the shadow")
                made.append(role)
        scratch = shadow.at(name)
        found = set(shadow.query(_POWERLESS, doing="Reading the shadow's roles"))
        owned = not found.isdisjoint(theirs)
        if owned:
            rights = target.query(_RIGHTS.format(name=name), doing="Reading the target's owner")
            shadow.query(*rights, doing="Creating the scratch database's owner and grants")
        _restore(target, scratch, owned=owned)
        yield scratch
    finally:
        interrupts.hold()
        shadow.query(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", doing="Dropping the scratch database")
        for role in made:
            shadow.query(f"DROP ROLE IF EXISTS {role}", doing="Dropping a role of the scratch database")


def _check(target: Server, shadow: Server) -> str:
    """How a database like the target is made."""
    doing = "Connecting to the target"
    (theirs, like) = target.query(_MAJOR, _LIKE, doing=doing)
    ours, superuser = shadow.query(_MAJOR, _SUPERUSER, doing="Connecting to the shadow's server")
    if ours != theirs:
        raise CannotPlan(
            f"Comparing the servers: the target is PostgreSQL {theirs}, and --shadow-url leads to PostgreSQL {ours}. "
            f"Their locks and rewrites differ: use a server of PostgreSQL {theirs}."
        )
    if superuser != "t":
        raise CannotPlan(
            f"Creating the scratch database: the user of --shadow-url ({shadow.address}) is not a superuser there. "
            "Use one on a server that holds nothing of value."
        )
    return like


def _restore(target: Server, scratch: Server, *, owned: bool) -> None:
    dump = [
        *("pg_dump", "--schema-only", "--no-tablespaces", "--no-subscriptions"),
        *(() if owned else ("--no-owner", "--no-privileges")),
        *("--no-security-labels", f"--exclude-schema={job_env.JOURNAL_SCHEMA}", f"--lock-wait-timeout={_LOCK_WAIT}"),
        *("-d", target.conninfo),
    ]
    with tempfile.TemporaryFile("w+") as said:
        try:
            reading = subprocess.Popen(
                dump,
                env=target.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise CannotPlan(
                "Dumping the target's schema: pg_dump is not on the PATH. Install PostgreSQL's client programs of "
                "the target's version."
            ) from None
        with reading:
            restored = _write(scratch, reading)
        said.seek(0)
        if reading.returncode != 0 and restored.returncode == 0:
            raise CannotPlan(_dump_failed(target, target.words(said.read())))
    if restored.returncode != 0:
        raise CannotPlan(
            f"Restoring the target's schema in the scratch database: {scratch.words(restored.stderr)}. Use a "
            "--shadow-url of a server that has what the schema needs, such as its extensions."
        )


def _write(scratch: Server, reading: subprocess.Popen[bytes]) -> subprocess.CompletedProcess[str]:
    """Pipe a dump into the scratch database; a dump that nobody reads to its end is ended."""
    done = None
    try:
        done = subprocess.run(
            scratch.psql("-1", "-o", "/dev/null", "-f", "-"),
            env=scratch.environment,
            stdin=reading.stdout,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        return done
    finally:
        if done is None or done.returncode != 0:
            reading.kill()


def _dump_failed(target: Server, found: str) -> str:
    doing = f"Dumping the target's schema ({target.address}): {found}."
    if "version mismatch" in found:
        return f"{doing} Put pg_dump of the target's version first on the PATH."
    if "permission denied" in found:
        return f"{doing} The user needs SELECT on every table and USAGE on every schema: GRANT pg_read_all_data to it."
    return f"{doing} Correct it, and plan again."
