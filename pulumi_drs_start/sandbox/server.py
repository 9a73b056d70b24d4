"""Run a sandbox in a thread of this process: a real server on a real port, started in an instant and as quickly gone."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .admin import SandboxAdmin
from .browsers import is_loopback
from .policy import Account, Policy
from .state import State

if TYPE_CHECKING:
    from typing_extensions import Self

    from .serving import Serving

START_TIMEOUT_SECONDS = 10.0


class SandboxNotInstalledError(ImportError):
    """FastAPI and uvicorn come with the extra `sandbox`."""

    def __init__(self) -> None:
        super().__init__("the sandbox needs the package's extra of its name: in the checkout, pip install '.[sandbox]'")


class Sandbox(SandboxAdmin):
    """
    A local DRS and IAM.

    Options are the fields of `Policy` and `Account`, and `host` and `port`. Usable once `start` returned, or in a `with`.
    A host that other machines can reach needs `allow_remote` too: control calls ask for no password.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, allow_remote: bool = False, **options: Any) -> None:
        if not (allow_remote or is_loopback(host)):
            raise ValueError(f"host {host} may be reachable from outside; add allow_remote=True if that is meant")
        unknown = options.keys() - Policy.model_fields.keys() - Account.model_fields.keys()
        if unknown:
            raise TypeError(f"unknown options of the sandbox: {', '.join(sorted(unknown))}")
        self._host, self._port = host, port
        self._account = Account(**{name: options[name] for name in options.keys() & Account.model_fields.keys()})
        self._policy = Policy(**{name: options[name] for name in options.keys() & Policy.model_fields.keys()})
        self._server: Serving | None = None
        self._thread: threading.Thread | None = None
        super().__init__("http://not-started.invalid")

    @property
    def project_id(self) -> str:
        return self._account.project_id

    @property
    def username(self) -> str:
        return self._account.username

    @property
    def password(self) -> str:
        return self._account.password

    @property
    def domain_name(self) -> str:
        return self._account.domain_name

    @property
    def account(self) -> Account:
        """Everything about the user, the domain, the projects and the access key."""
        return self._account

    @property
    def auth_url(self) -> str:
        return f"{self.url}/v3"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make clients talk to this sandbox."""
        return {
            "OS_AUTH_URL": self.auth_url,
            "OS_USERNAME": self.username,
            "OS_PASSWORD": self.password,
            "OS_USER_DOMAIN_NAME": self.domain_name,
            "OS_PROJECT_ID": self.project_id,
            "OS_REGION_NAME": self._account.region,
            "DRS_ENDPOINT": self.url,
        }

    def start(self) -> Self:
        """Listen and serve; returns as soon as calls are answered."""
        try:
            from .serving import Serving
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in ("fastapi", "starlette", "uvicorn"):
                raise
            raise SandboxNotInstalledError from error

        listener = _listen(self._host, self._port)
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._server = Serving(State(self._policy, self._account))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name=f"drs-sandbox-{port}", daemon=True
        )
        self._thread.start()
        if not self._server.is_up.wait(START_TIMEOUT_SECONDS):
            raise TimeoutError("the sandbox did not start")
        return self

    def stop(self) -> None:
        """Cut every connection and return when the server is gone."""
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join(START_TIMEOUT_SECONDS)
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left open asyncio sets no TCP_NODELAY, and every answer would wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
