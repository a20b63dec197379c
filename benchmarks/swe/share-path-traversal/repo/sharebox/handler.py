"""Requests, without a network."""

from urllib.parse import unquote_to_bytes

from .store import Forbidden, Missing, Store


class BadRequest(Exception):
    """The request makes no sense."""


def handle(root, method, target, body=b""):
    """Answer one request to the directory `root`: (status, body)."""
    try:
        return 200, _answer(Store(root), method, target, body)
    except BadRequest as error:
        return 400, f"{error}\n".encode()
    except Forbidden:
        return 403, b"not in the shared directory\n"
    except Missing:
        return 404, b"nothing there\n"


def _answer(store, method, target, body):
    kind, name = _parse(target)
    if (method, kind) == ("GET", "files"):
        return store.read(name)
    if (method, kind) == ("GET", "list"):
        return "".join(f"{entry}\n" for entry in store.list(name)).encode("utf-8", "surrogateescape")
    if (method, kind) == ("PUT", "files"):
        store.write(name, body)
        return b""
    if (method, kind) == ("DELETE", "files"):
        store.delete(name)
        return b""
    raise BadRequest(f"cannot {method} {target}")


def _parse(target):
    """`/files/a%20b` -> ("files", "a b")."""
    path = target.partition("?")[0]
    for kind in ("files", "list"):
        if path.startswith(f"/{kind}/"):
            name = unquote_to_bytes(path[len(kind) + 2 :]).decode("utf-8", "surrogateescape")
            if "\0" in name:
                raise BadRequest("a name cannot contain a zero byte")
            return kind, name
    raise BadRequest(f"no such address: {path}")
