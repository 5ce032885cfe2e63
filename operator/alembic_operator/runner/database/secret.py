"""The connection Secret: files in a directory become checked parts of a connection.

No message of this module quotes a value: a malformed URI may have its password anywhere, in the host or the port too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from ...contract import job_env
from ...contract.reasons import Reason
from ..errors import RunFailed
from ..terms import CORRECT_SECRET, SECRET, secret_named

ALLOWED_OPTIONS = frozenset(
    {
        "application_name",
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "require_auth",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcrl",
        "sslmode",
        "sslnegotiation",
        "sslrootcert",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)
PARTS = ("host", "port", "dbname", "user", "password")
_URI = re.compile(
    r"(?P<scheme>[a-z0-9]+)(?:\+(?P<driver>[a-z0-9_]+))?://"
    r"(?:(?P<user>[^:/@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<hosts>[^/?@]*)"
    r"(?:/(?P<dbname>[^?]*))?"
    r"(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-fA-F:.%]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]+))?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Target:
    """Where to connect. Never printed: `repr` shows no field."""

    host: str = field(repr=False)
    port: str = field(repr=False)
    dbname: str = field(repr=False)
    user: str = field(repr=False)
    password: str = field(repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)
    driver: str = ""

    def uri(self, scheme: str = "postgresql", *, password: bool = True) -> str:
        """The connection as a URI, with every character escaped that has to be."""
        user, secret, dbname = (quote(part, safe="") for part in (self.user, self.password, self.dbname))
        pairs = zip(self.host.split(","), self.port.split(","))
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in pairs)
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.options.items())
        authority = f"{user}:{secret}@{hosts}" if password and secret else f"{user}@{hosts}"
        return f"{scheme}://{authority}/{dbname}" + (f"?{query}" if query else "")


def read_secret(name: str, key: str) -> Target:
    """Read the Secret's files.

    Args:
        name: of the Secret, for messages.
        key: holds the URI; where it is missing, the parts host, port, dbname, user and password are taken.

    Raises:
        RunFailed: SecretNotFound or InvalidConnectionSecret.
    """
    directory = Path(job_env.SECRET_DIRECTORY)
    keys = sorted(entry.name for entry in directory.iterdir() if entry.is_file()) if directory.is_dir() else []
    if not keys:
        raise RunFailed(
            Reason.SECRET_NOT_FOUND,
            f"Reading the connection from {secret_named(name)}: {SECRET} does not exist in the namespace, or has no "
            f'keys. Create it with the key "{key}" (a PostgreSQL URI), or with {", ".join(PARTS)}.',
        )
    if key in keys:
        return parse_uri(_value(directory, name, key), name, key)
    if {"host", "dbname"} <= set(keys) and {"user", "username"} & set(keys):
        user = "user" if "user" in keys else "username"
        host, port, dbname, password = (
            _value(directory, name, part) if part in keys else "" for part in ("host", "port", "dbname", "password")
        )
        return _checked(Target(host, port or "5432", dbname, _value(directory, name, user), password), name)
    raise RunFailed(
        Reason.SECRET_NOT_FOUND,
        f'Reading the connection from {secret_named(name)}: it has no key "{key}", and host, dbname or user is missing '
        f"too. Its keys are {', '.join(keys[:10])}. Add the key, or set spec.database.secretRef.key to another one.",
    )


def parse_uri(text: str, name: str, key: str) -> Target:
    """The parts of a PostgreSQL URI, percent-escapes resolved.

    Raises:
        RunFailed: InvalidConnectionSecret, without a word of the URI in it.
    """
    match = _URI.fullmatch(text)
    if match is None or match["scheme"] not in ("postgres", "postgresql"):
        raise _invalid(name, f'the value of key "{key}" must be a URI that begins with postgresql:// or postgres://')
    if any(part and _BAD_ESCAPE.search(part) for part in (match["user"], match["password"], match["dbname"])):
        raise _invalid(
            name,
            f'the URI in key "{key}" has a "%" that is not followed by two hexadecimal digits. Write "%" as "%25", '
            f"or set the keys {', '.join(PARTS)} instead, whose values need no escaping",
        )
    hosts = [_HOST.fullmatch(part) for part in match["hosts"].split(",")]
    if not match["hosts"] or any(host is None for host in hosts):
        raise _invalid(
            name,
            f'the URI in key "{key}" has no host, a host that is a unix socket, or a port that is not a number (write '
            'the characters "@", ":", "/" of a password as "%40", "%3A", "%2F")',
        )
    dbname = unquote(match["dbname"] or "")
    if not dbname or not match["user"]:
        raise _invalid(name, f'the URI in key "{key}" names no {"database" if match["user"] else "user"}')
    return _checked(
        Target(
            host=",".join(host["ipv6"] or host["name"] for host in hosts if host),
            port=",".join(host["port"] or "5432" for host in hosts if host),
            dbname=dbname,
            user=unquote(match["user"]),
            password=unquote(match["password"] or ""),
            options=_options(match["query"] or "", name, key),
            driver=match["driver"] or "",
        ),
        name,
    )


def _options(query: str, name: str, key: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        option, _, value = part.partition("=")
        if option not in ALLOWED_OPTIONS or option in options or _BAD_ESCAPE.search(value):
            shown = f'"{option}"' if re.fullmatch(r"[a-z_]{1,32}", option) else "that is not shown"
            raise _invalid(
                name,
                f'the URI in key "{key}" has the option {shown}, which is unknown, given twice, or not allowed. '
                f"Allowed options: {', '.join(sorted(ALLOWED_OPTIONS))}",
            )
        options[option] = unquote(value)
    return options


def _checked(target: Target, name: str) -> Target:
    if any("\x00" in value for value in (target.host, target.dbname, target.user, target.password)):
        raise _invalid(name, "a value contains a NUL character")
    ports = target.port.split(",")
    if not all(port.isascii() and port.isdigit() and 0 < int(port) < 65536 for port in ports):
        raise _invalid(name, "the port must be a number from 1 to 65535")
    if not target.host or target.host.startswith(("/", "@")):
        raise _invalid(name, "the host is empty or a unix socket; set a host name or an address")
    return target


def _value(directory: Path, name: str, key: str) -> str:
    try:
        text = (directory / key).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _invalid(name, f'the value of key "{key}" is not UTF-8 text') from None
    return text[:-1].rstrip("\r") if text.endswith("\n") else text


def _invalid(name: str, found: str) -> RunFailed:
    return RunFailed(
        Reason.INVALID_CONNECTION_SECRET,
        f"Reading the connection from {secret_named(name)}: {found}. {CORRECT_SECRET}",
    )
