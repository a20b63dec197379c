"""An unmodified official SDK at work on `runloop-eval serve`.

Reads RUNLOOP_BASE_URL and RUNLOOP_API_KEY as the SDK does. Every step asserts and prints its name; any failure ends the
program with a traceback.
"""

import os
import tempfile
from pathlib import Path

from runloop_api_client import NotFoundError, RunloopSDK, __version__


def step(name):
    print(f"{__version__}: {name}", flush=True)


def commands(devbox):
    step("run a command")
    result = devbox.cmd.exec("echo hello; echo oops >&2; exit 3")
    assert result.exit_code == 3, result.exit_code
    assert result.stdout() == "hello\n", repr(result.stdout())
    assert result.stderr() == "oops\n", repr(result.stderr())

    step("stream output through callbacks")
    out, err, both = [], [], []
    result = devbox.cmd.exec(
        "for i in 1 2 3; do echo line-$i; echo wrong-$i >&2; sleep 0.2; done",
        stdout=out.append,
        stderr=err.append,
        output=both.append,
    )
    assert result.exit_code == 0, result.exit_code
    assert "".join(out) == "line-1\nline-2\nline-3\n", out
    assert "".join(err) == "wrong-1\nwrong-2\nwrong-3\n", err
    assert sorted("".join(both).split()) == sorted("".join(out + err).split()), both

    step("read a long output whole")
    result = devbox.cmd.exec("seq 5000")
    assert result.stdout().split() == [str(n) for n in range(1, 5001)]
    assert result.stdout(num_lines=2) == "4999\n5000", repr(result.stdout(num_lines=2))

    step("kill a running command")
    execution = devbox.cmd.exec_async("sleep 600")
    assert execution.get_state().status in ("queued", "running")
    execution.kill()
    assert execution.result().exit_code in (137, 143)


def files(devbox):
    step("write, read, upload and download files")
    text = "grüße\nline two\n"
    devbox.file.write(file_path="notes/text.txt", contents=text)
    assert devbox.file.read(file_path="notes/text.txt") == text
    assert devbox.cmd.exec("cat ~/notes/text.txt").stdout() == text
    data = os.urandom(300_000)
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "data.bin"
        source.write_bytes(data)
        devbox.file.upload(path="data.bin", file=source)
    assert devbox.file.download(path="data.bin") == data


def snapshots(sdk, devbox):
    step("snapshot and restore")
    devbox.cmd.exec("echo kept > state.txt")
    snapshot = devbox.snapshot_disk(name="kept", metadata={"test": "sdk"})
    devbox.cmd.exec("echo changed > state.txt")
    fork = snapshot.create_devbox(name="fork")
    try:
        assert fork.cmd.exec("cat state.txt").stdout() == "kept\n"
        assert devbox.cmd.exec("cat state.txt").stdout() == "changed\n"
    finally:
        fork.shutdown()
    assert snapshot.id in [one.id for one in sdk.snapshot.list(devbox_id=devbox.id)]
    snapshot.delete()


def objects(sdk):
    step("upload objects and mount them")
    note = sdk.storage_object.upload_from_text("from an object\n", name="note.txt")
    assert note.download_as_text() == "from an object\n"
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        (tree / "deep").mkdir(parents=True)
        (tree / "deep" / "file.txt").write_text("deep\n")
        archive = sdk.storage_object.upload_from_dir(tree, name="tree.tar.gz")
    devbox = sdk.devbox.create(
        mounts=[
            {"type": "object_mount", "object_id": note.id, "object_path": "/home/user/note.txt"},
            {"type": "object_mount", "object_id": archive.id, "object_path": "/home/user/tree"},
            {"type": "file_mount", "target": "/home/user/plain.txt", "content": "plain\n"},
        ],
    )
    try:
        shown = devbox.cmd.exec("cat note.txt tree/deep/file.txt plain.txt").stdout()
        assert shown == "from an object\ndeep\nplain\n", repr(shown)
    finally:
        devbox.shutdown()
    note.delete()
    archive.delete()


def lifecycle(sdk, devbox):
    step("suspend, resume, list, shut down")
    devbox.cmd.exec("echo stays > disk.txt")
    devbox.suspend()
    devbox.await_suspended()
    devbox.resume()
    assert devbox.cmd.exec("cat disk.txt").stdout() == "stays\n"
    devbox.keep_alive()
    assert devbox.id in [one.id for one in sdk.devbox.list(status="running")]
    devbox.shutdown()
    assert devbox.get_info().status == "shutdown"


def blueprints(sdk):
    step("build a blueprint and use it")
    blueprint = sdk.blueprint.create(
        name="prepared",
        system_setup_commands=["echo built > ~/built.txt"],
        file_mounts={"/home/user/mounted.txt": "mounted\n"},
    )
    devbox = blueprint.create_devbox()
    try:
        assert devbox.cmd.exec("cat built.txt mounted.txt").stdout() == "built\nmounted\n"
    finally:
        devbox.shutdown()
    blueprint.delete()


def secrets(sdk):
    step("inject a secret")
    sdk.secret.create(name="SDK_TEST_TOKEN", value="s3cret")
    devbox = sdk.devbox.create(secrets={"TOKEN": "SDK_TEST_TOKEN"}, environment_variables={"PLAIN": "open"})
    try:
        assert devbox.cmd.exec('echo "$TOKEN $PLAIN"').stdout() == "s3cret open\n"
    finally:
        devbox.shutdown()


def main():
    with RunloopSDK() as sdk:
        devbox = sdk.devbox.create(name="sdk-test", metadata={"purpose": "test"})
        info = devbox.get_info()
        assert info.status == "running" and info.name == "sdk-test" and info.metadata == {"purpose": "test"}
        commands(devbox)
        files(devbox)
        snapshots(sdk, devbox)
        lifecycle(sdk, devbox)
        objects(sdk)
        blueprints(sdk)
        if hasattr(sdk, "secret"):
            secrets(sdk)
        step("unknown ids are not found")
        try:
            sdk.api.devboxes.retrieve("dbx_does_not_exist")
        except NotFoundError:
            pass
        else:
            raise AssertionError("an unknown devbox was found")
        step("pages")
        ids = {one.id for one in sdk.api.devboxes.list(limit=2)}
        assert len(ids) >= 4, ids
    print(f"{__version__}: all steps passed", flush=True)


main()
