"""Calls methods of an unmodified official SDK and writes down what each sends.

Reads from standard input a JSON object: `types`, the table of types; `chains`, see below; and `calls`, a list of objects
with

- `method`: the SDK's method below its client, such as `devboxes.logs.list`;
- `path`, `query`, `body`: the arguments by their names on the wire; those of path and query as text;
- `endpoint`: its row of the table of endpoints; null for a helper of the SDK, whose arguments are only those in the path.

A chain is a list of steps over the SDK's object layer: each a name, positional and named arguments, called on what the
step before gave, the first on the SDK itself. An argument `{"$": chain}` is what that chain gives.

Writes a JSON object to standard output. `calls` has an object for each call: `error`, why the SDK sent nothing; or `sent`,
the first request, with `method`, `target` and `body` (JSON, or the parts of a form by name, or null for none); and in both
cases `dropped`, the arguments this release has no parameter for, `missing`, the same of all fields of the row, and `unknown`, its
parameters that the row lacks.
`chains` has an object for each chain: `error`, how it failed, or null; and `sent`, all requests.
"""

import inspect
import json
import sys
import threading
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import runloop_api_client
from runloop_api_client import Runloop

# What every method takes beside its endpoint's arguments.
OPTIONS = {"extra_headers", "extra_query", "extra_body", "timeout", "idempotency_key", "polling_config"}

recorded = []


class Recorder(BaseHTTPRequestHandler):
    """Keeps every request, and answers with what ends any wait."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together: in two pieces, the second waits for the first's acknowledgement.
    wbufsize = 65536

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = content_of(self.headers.get("Content-Type", ""), body)
        recorded.append({"method": self.command, "target": self.path, "body": content})
        statuses = content.get("statuses") if isinstance(content, dict) else None
        path = self.path.split("?")[0]
        events = path.endswith(("_updates", "/sse", "/watch"))
        view = {
            "id": "x_1",
            "devbox_id": "dbx_1",
            "benchmark_id": "bmd_1",
            "runs": [],
            "state": "scored",
            "status": statuses[0] if statuses else "running",
        }
        data = b"" if events else json.dumps(view).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if events else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = answer

    def log_message(self, *_):
        pass


def content_of(content_type, body):
    if content_type.startswith("multipart/"):
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        form = BytesParser().parsebytes(head + body)
        name = lambda part: part.get_param("name", header="Content-Disposition")
        return {name(part): part.get_payload(decode=True).decode() for part in form.get_payload()}
    return json.loads(body) if body else None


def typed(text, kind):
    """An argument of the query, from its text."""
    if kind == "bool":
        return text == "true"
    if kind in ("int", "float"):
        return float(text) if "." in text else int(text)
    return text.split(",") if kind.startswith("list<") else text


def in_python(value, kind, types):
    """A value with each field under the name the SDK has for it."""
    if isinstance(value, list) and kind.startswith("list<"):
        return [in_python(one, kind[5:-1], types) for one in value]
    if isinstance(value, dict) and kind.startswith("map<"):
        return {key: in_python(one, kind[4:-1], types) for key, one in value.items()}
    fields = {field["name"]: field for field in types.get(kind, {}).get("fields", [])}
    if not isinstance(value, dict) or not fields:
        return value
    python = {}
    for name, one in value.items():
        field = fields.get(name, {})
        python[field.get("py_name", name)] = in_python(one, field.get("type", "json"), types)
    return python


def python_names(endpoint, types):
    """The SDK's name for each field of an endpoint, by the name on the wire."""
    every = [field for one in types.values() for field in one.get("fields", []) if "py_name" in field]
    # Names with brackets are renamed everywhere; others only in the type of this body.
    renamed = {field["name"]: field["py_name"] for field in every if "[" in field["name"]}
    for field in types.get(endpoint.get("body_type"), {}).get("fields", []):
        renamed[field["name"]] = field.get("py_name", field["name"])
    return {field["name"]: renamed.get(field["name"], field["name"]) for field in endpoint["query"] + endpoint["body"]}


def arguments(call, endpoint, types):
    """Wire name and value of each argument, by the SDK's name for it."""
    names = python_names(endpoint, types)
    found = {name: (name, value) for name, value in call["path"].items()}
    for field in endpoint["query"]:
        if (name := field["name"]) in call["query"]:
            found[names[name]] = (name, typed(call["query"][name], field["type"]))
    for field in endpoint["body"]:
        if (name := field["name"]) in (call["body"] or {}):
            value = in_python(call["body"][name], field["type"], types)
            found[names[name]] = (name, (name, value.encode()) if field["type"] == "file" else value)
    return found


def record(client, call, types):
    recorded.clear()
    result = {"dropped": [], "missing": [], "unknown": []}
    method = client
    for name in call["method"].split("."):
        method = getattr(method, name, None)
        if method is None:
            return {**result, "error": "no such method"}
    endpoint = call["endpoint"] or {"query": [], "body": []}
    parameters = set(inspect.signature(method).parameters)
    found = arguments(call, endpoint, types)
    names = python_names(endpoint, types)
    result["dropped"] = sorted(wire for name, (wire, _) in found.items() if name not in parameters)
    result["missing"] = sorted(wire for wire, name in names.items() if name not in parameters)
    if call["endpoint"]:
        result["unknown"] = sorted(parameters - {*names.values(), *call["path"]} - OPTIONS)
    try:
        method(**{name: value for name, (_, value) in found.items() if name in parameters})
    except Exception as error:
        if not recorded:
            return {**result, "error": f"{type(error).__name__}: {error}"}
    return {**result, "sent": recorded[0]} if recorded else {**result, "error": "nothing was sent"}


def walk(start, chain):
    """What a chain gives."""
    value = start
    for name, positional, named in chain:
        for part in name.split("."):
            value = getattr(value, part)
        given = lambda one: walk(start, one["$"]) if isinstance(one, dict) and "$" in one else one
        value = value(*map(given, positional), **{key: given(one) for key, one in named.items()})
    return value


def record_chain(sdk, chain):
    recorded.clear()
    try:
        walk(sdk, chain)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "sent": list(recorded)}
    return {"error": None, "sent": list(recorded)}


def main():
    task = json.load(sys.stdin)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"bearer_token": "sdk-test-key", "base_url": f"http://127.0.0.1:{server.server_port}", "max_retries": 0}
    client = Runloop(**settings)
    calls = [record(client, call, task["types"]) for call in task["calls"]]
    chains = []
    if task["chains"]:
        sdk = runloop_api_client.RunloopSDK(**settings)
        chains = [record_chain(sdk, chain) for chain in task["chains"]]
    json.dump({"calls": calls, "chains": chains}, sys.stdout)


main()
