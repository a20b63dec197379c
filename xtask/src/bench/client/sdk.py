"""The official async SDK under the loads that load.rs puts on ours. Prints lines of `name value`."""

import asyncio
import resource
import sys
import time

from runloop_api_client import AsyncRunloop, AsyncRunloopSDK
from runloop_api_client.lib.polling import PollingConfig


# Connections that its pool has for waits: more are never open.
POOL = 320


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def field(file, name):
    with open(f"/proc/self/{file}") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


async def requests(url, concurrency, count):
    client = AsyncRunloop(base_url=url, bearer_token="ak_bench", max_retries=0)

    async def round(count):
        left = iter(range(count))

        async def worker():
            for number in left:
                await client.devboxes.execute("dbx_1", command="echo hello", command_id=f"cmd_{number}")

        await asyncio.gather(*(worker() for _ in range(concurrency)))

    await round(concurrency * 2)
    begun, before = time.perf_counter(), cpu()
    await round(count)
    print("wall", time.perf_counter() - begun)
    print("cpu", cpu() - before)


async def waits(url, count):
    client = AsyncRunloop(base_url=url, bearer_token="ak_bench", max_retries=0)
    held = lambda: client.get("/held", cast_to=int)
    await held()
    polling = PollingConfig(interval_seconds=1.0, max_attempts=120)
    tasks = [
        asyncio.ensure_future(client.devboxes.await_running(f"dbx_{number}", polling_config=polling))
        for number in range(count)
    ]
    patience = time.perf_counter() + 20
    held_now = 0
    while held_now < min(count, POOL) and time.perf_counter() < patience:
        held_now = max(held_now, int(await held()))
        await asyncio.sleep(0.1)
    print("open", held_now)
    print("resident_kib", field("smaps_rollup", "Rss:"))
    print("anonymous_kib", field("smaps_rollup", "Anonymous:"))
    sys.stdout.flush()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def upload(url, path):
    sdk = AsyncRunloopSDK(base_url=url, bearer_token="ak_bench")
    begun = time.perf_counter()
    await sdk.storage_object.upload_from_file(path)
    print("wall", time.perf_counter() - begun)
    print("peak_kib", field("status", "VmHWM:"))


async def download(url, size):
    sdk = AsyncRunloopSDK(base_url=url, bearer_token="ak_bench")
    begun = time.perf_counter()
    content = await sdk.storage_object.from_id("obj_1").download_as_bytes()
    assert len(content) == size, len(content)
    print("wall", time.perf_counter() - begun)
    print("peak_kib", field("status", "VmHWM:"))


def main():
    what, url, *rest = sys.argv[1:]
    number = lambda text: int(text) if text.isdigit() else text
    asyncio.run({"requests": requests, "waits": waits, "upload": upload, "download": download}[what](url, *map(number, rest)))


main()
