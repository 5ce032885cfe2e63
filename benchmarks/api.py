"""A small client of the API server: no process and no polling between an event and its time."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

Raw = dict[str, Any]

SCHEMAS = "/apis/alembic-operator.dev/v1alpha1/namespaces/{}/databaseschemas"
PLANS = "/apis/alembic-operator.dev/v1alpha1/namespaces/{}/schemaplans"
JOBS = "/apis/batch/v1/namespaces/{}/jobs"
SECRETS = "/api/v1/namespaces/{}/secrets"
TIMEOUT = 120.0  # seconds without an event


class Refused(RuntimeError):
    """The API server said no."""


class Api:
    """The cluster of a kubeconfig, as its administrator."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        parts = urlsplit(cluster["server"])
        self._address = (str(parts.hostname), int(parts.port or 443))
        self._tls = ssl.create_default_context(cadata=_data(cluster, "certificate-authority").decode())
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "certificate"), Path(folder, "key")
            certificate.write_bytes(_data(user, "client-certificate"))
            key.write_bytes(_data(user, "client-key"))
            self._tls.load_cert_chain(certificate, key)

    def request(self, verb: str, path: str, body: Raw | None = None, kind: str = "application/json") -> Raw:
        """One request; Refused when it is refused."""
        connection = self._connection()
        try:
            headers = {"Content-Type": kind} if body is not None else {}
            connection.request(verb, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise Refused(f"{verb} {path}: {answer.status} {text.decode(errors='replace')[:1000]}")
        found: Raw = json.loads(text)
        return found

    @contextlib.contextmanager
    def watch(self, path: str) -> Iterator[Iterator[tuple[float, Raw]]]:
        """What happens to the objects of a collection from now on, each with the time at which it was heard of."""
        version = self.request("GET", f"{path}?limit=1")["metadata"]["resourceVersion"]
        connection = self._connection()
        try:
            connection.request("GET", f"{path}?watch=1&resourceVersion={version}")
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise Refused(f"watch {path}: {answer.status}")
            yield _events(answer)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*self._address, context=self._tls, timeout=TIMEOUT)


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[float, Raw]]:
    while line := answer.readline():
        at, event = time.monotonic(), json.loads(line)
        if event["type"] in ("ADDED", "MODIFIED"):
            yield at, event["object"]
    raise Refused("the API server ended the watch")


def _data(entry: Raw, name: str) -> bytes:
    """A certificate or key; tests.cluster writes them into its kubeconfig."""
    return base64.b64decode(entry[f"{name}-data"])
