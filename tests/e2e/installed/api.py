"""Reads from the API server, over one kept connection: a poll costs 2 ms, and a kubectl 100."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.cluster.lifecycle import Cluster

Raw = Mapping[str, Any]

SCHEMAS = "/apis/alembic-operator.dev/v1alpha1"


class Api:
    """The API server as the administrator sees it."""

    def __init__(self, cluster: Cluster) -> None:
        config = json.loads(cluster.kubeconfig.read_text())
        server, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        trusted = ssl.create_default_context(cadata=_text(server["certificate-authority-data"]))
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "crt"), Path(folder, "key")
            certificate.write_text(_text(user["client-certificate-data"]))
            key.touch(mode=0o600)
            key.write_text(_text(user["client-key-data"]))
            trusted.load_cert_chain(certificate, key)
        address = urlsplit(server["server"]).netloc
        self._connection = http.client.HTTPSConnection(address, context=trusted, timeout=30)

    def text(self, path: str, **query: str) -> str | None:
        """The body at this path; None when there is nothing.

        Raises:
            RuntimeError: The API server refused.
        """
        place = f"{path}?{urlencode(query)}" if query else path
        try:
            answer, body = self._exchanged(place)
        except (ConnectionError, http.client.HTTPException):
            # The server closes a connection that was idle for a while; a new one tells whether it is there.
            self._connection.close()
            answer, body = self._exchanged(place)
        if answer.status == http.HTTPStatus.NOT_FOUND:
            return None
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"GET {place}: {answer.status} {body}")
        return body

    def _exchanged(self, place: str) -> tuple[http.client.HTTPResponse, str]:
        self._connection.request("GET", place)
        answer = self._connection.getresponse()
        return answer, answer.read().decode()

    def get(self, path: str) -> Raw | None:
        """The object at this path; None when there is none."""
        body = self.text(path)
        return None if body is None else json.loads(body)

    def list(self, path: str, **query: str) -> list[Raw]:
        """The items at this path."""
        body = self.text(path, **query)
        return [] if body is None else list(json.loads(body)["items"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
