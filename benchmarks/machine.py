"""What was measured on: the machine, the versions, and what the two servers promise about durability."""

import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from stack.settings import Addresses

PACKAGES = ("faststream", "aiokafka", "asyncpg", "pydantic", "orjson", "httpx")
TURNS = 3_000_000
ATTEMPTS = 3
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")


def facts() -> dict[str, Any]:
    """The machine and what runs Muster on it."""
    return {
        "cpus": os.cpu_count(),
        "processor": _first(Path("/proc/cpuinfo"), "model name"),
        "memory_gib": round(int(_first(Path("/proc/meminfo"), "MemTotal").split()[0]) / 2**20, 1),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "kernel": platform.release().partition("-")[0],
        "python": " ".join(sys.version.split()),
        "packages": {name: version(name) for name in PACKAGES},
    }


def pace() -> float:
    """Milliseconds that a loop of three million turns takes here, at best: machines and moments compare by it."""
    times = []
    for _ in range(ATTEMPTS):
        began = time.perf_counter()
        for _ in range(TURNS):
            pass
        times.append(time.perf_counter() - began)
    return min(times) * 1000


async def durability(addresses: Addresses, topic: str) -> dict[str, str]:
    """What Postgres shows of its settings, and Kafka of the topic's."""
    database = await asyncpg.connect(addresses.postgres)
    shown = {name: str(await database.fetchval(f"SHOW {name}")) for name in DURABILITY}
    shown["postgres"] = str(await database.fetchval("SHOW server_version"))
    await database.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses.kafka)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    entries = {entry[0]: str(entry[1]) for answer in answers for entry in answer.resources[0][4]}
    wanted = ("min.insync.replicas", "flush.messages", "message.timestamp.type")
    return shown | {name: entries[name] for name in wanted if name in entries}


def _first(path: Path, name: str) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")
