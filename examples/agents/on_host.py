"""Drives a devbox through the Runloop API with nothing but the standard library.

An agent built on the official SDK does the same with `RunloopSDK().devbox.from_id(os.environ["RUNLOOP_DEVBOX_ID"])`.
"""

import json
import os
import urllib.request
import uuid

API = os.environ["RUNLOOP_BASE_URL"]
KEY = os.environ["RUNLOOP_API_KEY"]
DEVBOX = os.environ["RUNLOOP_DEVBOX_ID"]


def call(path, body):
    """One request about the devbox; returns the decoded answer."""
    request = urllib.request.Request(
        f"{API}/v1/devboxes/{DEVBOX}/{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def run(command):
    """Runs a command in the devbox and returns its exit status and output."""
    view = call("execute", {"command": command, "command_id": str(uuid.uuid4())})
    print(f"$ {command}\n{view['stdout']}{view['stderr']}", end="")
    return view["exit_status"], view["stdout"]


with open(os.environ["PROBLEM_STATEMENT_FILE"], encoding="utf-8") as statement:
    task = statement.read()
print(f"The task:\n{task}")
run("cat repo/greet.sh")
if "Hello, world!" in task:
    run("""echo 'echo "Hello, ${1:-world}!"' > repo/greet.sh""")
