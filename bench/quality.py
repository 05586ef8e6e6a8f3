"""The pass over the audio of a long recording: how fast, and in how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.report import Row
from devstack.azurite import ROOT

RATE = 16_000
CHANNELS = 5
NOISE_DBFS = -60.0
"""On every channel: harder than the digital silence of the service's own files, which costs next to nothing."""

TILE_SECONDS = 300
BLOCK = 4 << 20
"""Bytes in a read, as in a download of a blob."""

FASTER, MEGABYTES = 250.0, 200.0


def measure(quick: bool) -> Iterator[Row]:
    """The rows of the audio pass; every run in a process of its own, on one core."""
    tiles = 2 if quick else 48
    seconds = tiles * TILE_SECONDS
    length, twice = (f"{seconds * times / 3600:.2g} h × {CHANNELS} channels" for times in (1, 2))
    with TemporaryDirectory(prefix="switchboard-bench-") as folder:
        path = Path(folder) / "recording.wav"
        talk = write_recording(path, tiles)
        more = {"file_mb": path.stat().st_size // 10**6, "talk_share": round(talk, 2), "noise_dbfs": NOISE_DBFS}
        name = "audio pass"
        once = _run("analyse", path, 1)
        yield Row(
            name, f"{length}, processor time", seconds / once["cpu"], "× real time", FASTER, at_least=True, more=more
        )
        yield Row(name, f"{length}, wall clock", seconds / once["wall"], "× real time")
        yield Row(name, f"{length}, peak memory", once["mb"], "MB", MEGABYTES)
        yield Row(name, f"{length}, its JSON", once["json"] / 1e6, "MB", 2.0)
        doubled = _run("analyse", path, 2)
        yield Row(name, f"{twice} (RF64), peak memory", doubled["mb"], "MB", MEGABYTES)
        read = _run("read", path, 1)
        yield Row("plain read", f"{length}, wall clock", seconds / read["wall"], "× real time", more={"mb": read["mb"]})
        other = _run("call_ai_metrics", path, 1)
        title = f"call-ai-metrics {version('call-ai-metrics')}"
        without = {"without": "speech model, loudness, peak, clipping, noise floor"}
        yield Row(title, f"{length}, processor time", seconds / other["cpu"], "× real time", more=without)
        yield Row(title, f"{length}, peak memory", other["mb"], "MB")


def write_recording(path: Path, tiles: int) -> float:
    """Five minutes of conversation over and over, with other people on other channels; gives the share of talk."""
    import numpy as np

    from tests.unit.quality.audio.scenes import conversation, wav_header

    scene = conversation(TILE_SECONDS, CHANNELS, seed=17, noise_dbfs=NOISE_DBFS)
    tile = np.ascontiguousarray((scene.sound * 32767).astype("<i2").T)
    with path.open("wb") as file:
        file.write(wav_header(CHANNELS, tiles * tile.nbytes))
        for number in range(tiles):
            shifted = np.roll(tile, (number * 977, number % CHANNELS), axis=(0, 1))
            file.write(shifted - (shifted >> (2 + number % 3)))  # a little softer
    return sum(end - start for spans in scene.speech for start, end in spans) / TILE_SECONDS


def _run(what: str, path: Path, times: int) -> dict[str, float]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench.quality", what, str(path), str(times)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


# What the processes do


def _blocks(path: Path, times: int) -> Iterator[bytes]:
    """The file; or, more than once, one RF64 file that holds its samples so many times."""
    size = path.stat().st_size - 44
    for number in range(times):
        with path.open("rb") as file:
            header = file.read(44)
            if number == 0:
                yield header if times == 1 else _rf64(header, times * size)
            while block := file.read(BLOCK):
                yield block


def _rf64(header: bytes, size: int) -> bytes:
    sizes = b"ds64" + (28).to_bytes(4, "little") + (size + 72).to_bytes(8, "little") + size.to_bytes(8, "little")
    return b"RF64\xff\xff\xff\xffWAVE" + sizes + bytes(12) + header[12:40] + b"\xff\xff\xff\xff"


def _analyse(path: Path, times: int) -> int:
    from shared.quality.audio.joining import PlacedChunk, join
    from shared.quality.audio.signal import AudioPass
    from shared.quality.thresholds import Thresholds

    audio = AudioPass()
    for block in _blocks(path, times):
        audio.feed(block)
    signal = audio.finish()
    join([PlacedChunk(0, 0.0, (), signal, signal.seconds)], Thresholds())
    return len(signal.to_json())


def _read(path: Path, times: int) -> int:
    return sum(map(len, _blocks(path, times)))


def _call_ai_metrics(path: Path, times: int) -> int:
    """Given the path, it reads the file in blocks by itself."""
    from call_ai_metrics import analyze

    return len(analyze(str(path)).speakers)


def _peak_megabytes() -> float:
    """Of this process alone; `getrusage` would count what its parent held when it was made."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _main() -> None:
    what, path, times = sys.argv[1:]
    work = {"analyse": _analyse, "read": _read, "call_ai_metrics": _call_ai_metrics}[what]
    began = time.perf_counter()
    result = work(Path(path), int(times))
    wall = time.perf_counter() - began
    print(json.dumps({"wall": wall, "cpu": time.process_time(), "mb": _peak_megabytes(), "json": result}))


if __name__ == "__main__":
    _main()
