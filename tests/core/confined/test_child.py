"""The child process: what it may use, how its death is told, and that it goes when its parent does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.confined import Limits, in_child
from core.data.formats.plain import from_plain, to_plain
from core.data.options import LineCount, OddRow, Reading, ReadOptions
from core.errors import DataProblem
from core.messages import msg, msg_n

ROOT = Path(__file__).resolve().parents[3]
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


def run(deed: str, limits: Limits | None = None, **more: Any) -> Any:
    follow = {k: more.pop(k) for k in ("progress", "cancelled") if k in more}
    return in_child(f"tests.core.confined.deeds:{deed}", more, subject="line 3.xlsx", limits=limits, **follow)


def waited_for(file: Path) -> int:
    until = time.monotonic() + 30
    while not (file.is_file() and file.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return int(file.read_text())


def test_values_and_progress_come_back_and_prints_do_not_disturb() -> None:
    told: list[tuple[str, float]] = []
    value = {"a": [1, 2.5, None, "ü"], "b": LineCount(1, 0, 0, 0, 0, 1, 0)}
    assert run("echo", value=value, progress=lambda s, p: told.append((s, p))) == {"a": (1, 2.5, None, "ü"), "b": value["b"]}
    assert told == [("half", 0.5)]


def test_records_travel_whole() -> None:
    reject = OddRow(7, "p", msg("{file}: {reason}", file="a", reason=msg_n("{n} cell", "{n} cells", 2)), "x;y")
    reading = Reading("warn", ReadOptions(decimal=","), (), 3, LineCount(5, 1, 0, 0, 0, 3, 1), (), (reject,), ())
    assert from_plain(to_plain(reading)) == reading
    assert str(from_plain(to_plain(reading)).rejected[0].reason) == "a: 2 cells"
    with pytest.raises(TypeError, match="Path is no record|PosixPath is no record|WindowsPath is no record"):
        to_plain(Path("a"))


def test_a_problem_of_the_child_is_one_here_and_a_fault_keeps_its_traceback() -> None:
    with pytest.raises(DataProblem, match="'a' is odd. Expected even. Add one.") as caught:
        run("refuse")
    assert caught.value.values == {"n": 3}
    with pytest.raises(RuntimeError, match="in break_down"):
        run("break_down")
    with pytest.raises(OSError, match="No space left") as full:
        run("fill_disk")
    assert full.value.errno is not None


@linux
def test_a_child_that_eats_memory_ends_in_one_sentence() -> None:
    with pytest.raises(DataProblem, match="'line 3.xlsx' needs more memory than reading may use. Expected .* 400 MB") as caught:
        run("eat_memory", Limits(memory_mb=400))
    assert caught.value.values["limit"] == "memory"


@linux
def test_processor_time_and_size_of_files_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="took too long. Expected at most 2 s of computing"):
        run("spin", Limits(cpu_seconds=2))
    big = tmp_path / "big"
    with pytest.raises(DataProblem, match="unpacks to more than may be written. Expected at most 3 MB"):
        run("write_much", Limits(file_mb=3), path=str(big))
    assert big.stat().st_size <= 3 << 20


def test_the_clock_ends_a_child_that_waits(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with pytest.raises(DataProblem, match="took too long. Expected at most 3 s"):
        run("sleep", Limits(wall_seconds=3), pid_file=str(file))
    assert not psutil.pid_exists(int(file.read_text()))


@linux
def test_kill_9_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    killer = threading.Thread(target=lambda: os.kill(waited_for(file), signal.SIGKILL))
    killer.start()
    with pytest.raises(DataProblem, match="'line 3.xlsx' was ended from outside or broke down") as caught:
        run("sleep", pid_file=str(file))
    killer.join()
    assert caught.value.values["child"] == -signal.SIGKILL


def test_a_crash_of_a_library_is_one_sentence() -> None:
    with pytest.raises(DataProblem, match="ended from outside or broke down"):
        run("abort")


def test_cancelling_ends_the_child_at_once(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with pytest.raises(DataProblem, match="was stopped. .* Nothing was stored") as caught:
        run("sleep", pid_file=str(file), cancelled=file.is_file)
    assert caught.value.values["cancelled"] is True
    assert not psutil.pid_exists(waited_for(file))


def test_an_exception_in_the_progress_ends_the_child_too(tmp_path: Path) -> None:
    file = tmp_path / "pid"

    def rerun(stage: str, part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("sleep", pid_file=str(file), progress=rerun)
    assert not psutil.pid_exists(waited_for(file))


@linux
def test_the_child_goes_when_its_parent_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    script = "import sys\nfrom core.confined import in_child\nin_child('tests.core.confined.deeds:sleep', {'pid_file': sys.argv[1]}, subject='x')"
    parent = subprocess.Popen([sys.executable, "-c", script, str(file)], cwd=ROOT)
    child = waited_for(file)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 20
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_secrets_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_DATABASE_URL", "postgresql://user:secret@host/db")
    monkeypatch.setenv("SOME_TOKEN", "secret")
    known = run("environment")
    assert "PATH" in known
    assert not {"ANDON_DATABASE_URL", "SOME_TOKEN", "ANDON_HOME"} & set(known)


@linux
def test_limits_are_set_inside() -> None:
    assert run("limits", Limits(900, 77, 10.0, 55, 99)) == (900 << 20, 77, 55 << 20, 99, 0)
