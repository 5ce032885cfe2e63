"""The way to the target: what the Secret names, and the driver that goes there."""

from __future__ import annotations

from dataclasses import dataclass

from ...contract.request import RunRequest
from .capture import Listener
from .connect import connect, drop_libpq_variables
from .driver import Driver, RawConnection, find_driver
from .journal import job_uid
from .project_driver import preferred_driver
from .secret import Target, read_secret


@dataclass(frozen=True)
class Sessions:
    """Opens sessions on the target.

    Attributes:
        secret: the connection that the Secret names.
        driver: the image's.
    """

    request: RunRequest
    secret: Target
    driver: Driver

    @classmethod
    def of(cls, request: RunRequest) -> Sessions:
        """Read the Secret, and find the driver.

        Raises:
            RunFailed: SecretInvalid, DriverMissing.
        """
        drop_libpq_variables()
        secret = read_secret(request.secret_name, request.secret_key)
        return cls(request, secret, find_driver(secret.driver, preferred_driver(request)))

    def open(
        self, *, monitor: bool = False, read_only: bool = False, listener: Listener | None = None
    ) -> RawConnection:
        """A new session; `listener` is told of all that is sent there.

        Raises:
            RunFailed: for each way in which a connection can fail.
        """
        settings = {"monitor": monitor, "read_only": read_only}
        return connect(self.driver, self.secret, self.request, job_uid(), listener=listener, **settings)
