"""Jobs of the app: commands in processes of their own, with real processes and real kills."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ifdd.errors import InputError
from workbench.app.jobs.records import ASKED, PROGRESS, STATE, Job, read_job
from workbench.app.jobs.runner import LOOK, memory_of
from workbench.app.jobs.store import WORKERS, Jobs, key_of

SOON = 30.0  # seconds


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """A place for jobs, and a program that sleeps, prints or dies as it is told, in the place of `workbench`."""
    program = tmp_path / "program" / "workbench_for_tests"
    program.mkdir(parents=True)
    (program / "__init__.py").touch()
    (program / "cli.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(str(program.parent))
    monkeypatch.setattr("workbench.app.jobs.store.PROGRAMS", ("workbench", "workbench_for_tests"))
    monkeypatch.setenv(WORKERS, "2")
    place = Jobs(tmp_path / "workspace" / "results" / "jobs")
    yield place
    for job in place.all():
        if not job.is_over:
            place.cancel(job)
            ended(place, job)


PROGRAM = """
import os, signal, subprocess, sys, time
from pathlib import Path

from ifdd.progress import tqdm


def main():
    what, out, *more = sys.argv[1:]
    print("doing", what, flush=True)
    if what == "fail":
        sys.exit("error: the clips are gone; bring them back")
    if what == "crash":
        raise RuntimeError("something else")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "nothing":
        return
    if what == "wait":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(more[0]).write_text(f"{os.getpid()} {child.pid}")
        for _ in tqdm(range(6000), desc="waiting"):
            time.sleep(0.1)
    if what == "until":
        while not Path(more[0]).exists():
            time.sleep(0.02)
    with open(more[-1] + ".order" if more else os.devnull, "a") as order:
        order.write(out)
    Path(out).mkdir(parents=True)
    Path(out, "made.txt").write_text(str(time.time()))
"""


def command(what: str, *more: object) -> list[str]:
    return ["workbench_for_tests", what, "{out}", *map(str, more)]


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)


def ended(jobs: Jobs, job: Job) -> Job:
    until(lambda: jobs.get(job.key).is_over, "the end")
    return jobs.get(job.key)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pids(file: Path) -> list[int]:
    until(lambda: file.exists() and len(file.read_text().split()) == 2, "the command")
    return [int(pid) for pid in file.read_text().split()]


def test_a_job_runs_and_its_result_is_found_again_without_running(jobs: Jobs) -> None:
    job = ended(jobs, jobs.ask("Make it", command("make")))
    assert (job.state, job.reason, job.title) == ("done", "", "Make it")
    assert job.has_result
    assert "doing make" in job.log()
    assert job.log().startswith("$ workbench_for_tests make ")
    made = (job.result / "made.txt").read_text()
    again = jobs.ask("Make it", command("make"))
    assert again.is_over
    assert (again.result / "made.txt").read_text() == made
    assert jobs.find(command("make")) == again
    assert jobs.find(command("make"), ["another checkpoint"]) is None


def test_a_result_that_was_removed_is_made_again(jobs: Jobs, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    line = ["workbench_for_tests", "make", str(place)]
    assert ended(jobs, jobs.ask("Make it", line, result=place)).has_result
    (place / "made.txt").unlink()
    place.rmdir()
    gone = jobs.find(line)
    assert gone is not None
    assert not gone.has_result
    assert ended(jobs, jobs.ask("Make it", line, result=place)).has_result


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("fail", "the clips are gone; bring them back"),
        ("crash", "RuntimeError: something else (exit code 1); see its log"),
        ("die", "SIGKILL"),
        ("nothing", "it ended well, but"),
    ],
)
def test_a_job_that_fails_says_why_and_can_be_asked_for_again(jobs: Jobs, what: str, reason: str) -> None:
    job = ended(jobs, jobs.ask("Make it", command(what)))
    assert job.state == "failed"
    assert reason in job.reason
    again = jobs.ask("Make it", command(what))
    assert again.asked > job.asked
    ended(jobs, again)


def test_the_command_is_killed(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.ask("Wait", command("wait", tmp_path / "pids"))
    command_pid = pids(tmp_path / "pids")[0]
    until(lambda: jobs.get(job.key).state == "running", "the watch")
    time.sleep(10 * LOOK)  # whoever watches has looked at its memory, also on a busy computer
    os.kill(command_pid, signal.SIGKILL)
    job = ended(jobs, job)
    assert job.state == "failed"
    assert "somebody or the system killed it (SIGKILL" in job.reason
    told = re.search(r"perhaps for memory: at the end it held (\d+) MB, and (\d+) MB were free", job.reason)
    assert told is not None
    assert 5 < int(told[1]) < 2000  # an interpreter and the one that it started
    assert int(told[2]) > 0


def test_memory_is_that_of_a_command_and_what_it_started() -> None:
    line = "import subprocess, sys; much = bytearray(%d); subprocess.run([sys.executable, '-c', sys.argv[1]])"
    inner = "much = bytearray(60 << 20); print('ready', flush=True); input()"
    command = [sys.executable, "-c", line % (40 << 20), inner]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        found = memory_of(process.pid)
        process.communicate(b"\n")
    assert found is not None
    assert 100 << 20 < found.held < 250 << 20
    assert memory_of(process.pid) is None


def test_when_the_process_that_watches_is_killed_the_command_ends_and_the_job_has_failed(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.ask("Wait", command("wait", tmp_path / "pids"))
    own = pids(tmp_path / "pids")
    until(lambda: jobs.get(job.key).state == "running", "the start")
    os.kill(json.loads((job.folder / STATE).read_text())["pid"], signal.SIGKILL)
    job = ended(jobs, job)
    assert job.state == "failed"
    assert "start it again" in job.reason
    until(lambda: not any(map(is_alive, own)), "the end of the command and what it started")


def test_a_job_that_is_cancelled_ends_with_all_that_it_started(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.ask("Wait", command("wait", tmp_path / "pids"))
    own = pids(tmp_path / "pids")
    jobs.cancel(job)
    assert ended(jobs, job).state == "cancelled"
    until(lambda: not any(map(is_alive, own)), "the end of the command and what it started")
    jobs.remove(jobs.get(job.key))
    assert jobs.all() == []
    with pytest.raises(InputError, match="may have been removed"):
        jobs.get(job.key)


def test_a_job_that_runs_is_not_removed(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.ask("Wait", command("wait", tmp_path / "pids"))
    with pytest.raises(InputError, match="cancel it first"):
        jobs.remove(jobs.get(job.key))


def test_two_who_start_the_same_job_share_it(jobs: Jobs, tmp_path: Path) -> None:
    found: list[Job] = []

    def ask() -> None:
        found.append(jobs.ask("Wait", command("until", tmp_path / "go")))

    people = [threading.Thread(target=ask) for _ in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert len({(job.key, job.asked) for job in found}) == 1
    (tmp_path / "go").touch()
    assert ended(jobs, found[0]).state == "done"
    assert (tmp_path / "go.order").read_text().count(str(found[0].result)) == 1


SERVER = """
import sys, time
from pathlib import Path

from workbench.app.jobs import store

store.PROGRAMS = ("workbench_for_tests",)
store.Jobs(Path(sys.argv[1])).ask("Wait", sys.argv[2:])
print("asked", flush=True)
time.sleep(600)
"""


def test_a_job_outlives_the_server_that_started_it_and_the_next_one_joins_it(jobs: Jobs, tmp_path: Path) -> None:
    line = command("until", tmp_path / "go")
    place = os.pathsep.join(part for part in sys.path if part)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(jobs.folder), *line],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": place},
    )
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"asked\n"
        os.killpg(server.pid, signal.SIGKILL)
    (job,) = jobs.all()
    assert not job.is_over
    assert jobs.ask("Wait", line).asked == job.asked
    (tmp_path / "go").touch()
    assert ended(jobs, job).has_result
    assert (tmp_path / "go.order").read_text().count(str(job.result)) == 1


def test_jobs_wait_for_their_turn_in_the_order_in_which_they_were_asked_for(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WORKERS, "1")
    first = jobs.ask("First", command("until", tmp_path / "go"))
    until(lambda: jobs.get(first.key).state == "running", "the start")
    others = [jobs.ask(name, command("make", name, tmp_path / "go")) for name in ("b", "a", "c")]
    assert [jobs.get(job.key).state for job in others] == ["waiting"] * 3
    jobs.cancel(others[1])
    assert ended(jobs, others[1]).state == "cancelled"
    (tmp_path / "go").touch()
    assert ended(jobs, others[2]).state == "done"
    order = (tmp_path / "go.order").read_text()
    assert order == "".join(str(job.result) for job in (first, others[0], others[2]))
    assert [job.title for job in jobs.all()] == ["c", "a", "b", "First"]


def test_how_far_a_job_is(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.ask("Wait", command("wait", tmp_path / "pids"))
    until(lambda: (jobs.get(job.key).progress() or job).__class__ is not Job, "progress")
    told = jobs.get(job.key).progress()
    assert told is not None
    assert told.words.startswith("waiting ")
    assert told.words.endswith(" of 6000")
    assert told.share is not None
    assert 0 <= told.share < 0.5


def test_time_left_of_loops_within_loops(tmp_path: Path) -> None:
    job = Job(tmp_path, "", (), tmp_path, 0.0, "running", started=100.0)
    outer = {"title": "models", "unit": "model", "done": 1, "begun_at": 0, "total": 2, "seconds": 30}
    inner = {"title": "clips", "unit": "clip", "done": 5, "begun_at": 0, "total": 10, "seconds": 10}
    (tmp_path / PROGRESS).write_text(json.dumps({"steps": [outer, inner], "time": 200.0}))
    told = job.progress(now=202.0)
    assert told is not None
    assert told.words == "models 1 of 2 › clips 5 of 10"
    assert told.share == pytest.approx(0.75)
    assert told.left == pytest.approx(30 / 0.75 * 0.25 - 2)
    assert job.seconds(now=160.0) == 60
    resumed = {**inner, "done": 6, "begun_at": 5, "seconds": 10}  # one clip took ten seconds, four are left
    (tmp_path / PROGRESS).write_text(json.dumps({"steps": [resumed], "time": 200.0}))
    told = job.progress(now=200.0)
    assert told is not None
    assert told.left == pytest.approx(40)
    (tmp_path / PROGRESS).write_text(json.dumps({"steps": [{**inner, "total": None}], "time": 200.0}))
    told = job.progress(now=200.0)
    assert told is not None
    assert (told.words, told.share, told.left) == ("clips 5", None, None)
    (tmp_path / PROGRESS).write_text("{")
    assert job.progress() is None


def test_the_key_is_what_makes_the_result(tmp_path: Path) -> None:
    file = tmp_path / "clips.parquet"
    file.write_text("one")
    keys = {key_of(["workbench", "embed"], inputs) for inputs in ([], ["sha"], [file])}
    file.write_text("two")
    assert len({*keys, key_of(["workbench", "embed"], [file]), key_of(["workbench", "splits"])}) == 5
    with pytest.raises(InputError, match="cannot be read"):
        key_of(["workbench"], [tmp_path / "gone"])


def test_what_another_version_of_the_code_made_is_known(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read = tmp_path / "read.txt"
    read.write_text("clips")
    inputs = ["a checkpoint", read]
    assert jobs.older(command("make"), inputs) is None
    with monkeypatch.context() as changed:
        changed.setattr("workbench.app.jobs.store.code", lambda: "other code")
        made = ended(jobs, jobs.ask("Make it", command("make"), inputs))
    assert jobs.find(command("make"), inputs) is None
    assert jobs.older(command("make"), inputs) == made
    assert jobs.older(command("make"), ["another checkpoint", read]) is None
    assert jobs.older(command("until"), inputs) is None
    read.write_text("other clips")
    assert jobs.older(command("make"), inputs) is None
    read.unlink()
    assert jobs.older(command("make"), inputs) is None
    jobs.remove(made)
    assert jobs.older(command("make"), ["a checkpoint"]) is None


def test_bad_requests(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="a job is a command of workbench"):
        jobs.ask("Remove", ["rm", "-r", "/"])
    monkeypatch.setenv(WORKERS, "none")
    with pytest.raises(InputError, match="IFDD_JOBS=none is no number"):
        jobs.ask("Make", command("make"))


def test_a_place_that_cannot_be_written(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ended(jobs, jobs.ask("Make it", command("make")))
    monkeypatch.setattr(os, "access", lambda *_: False)  # for root, who runs the tests, every folder can be written
    with pytest.raises(InputError, match="cannot be written, so that no job can run"):
        jobs.ask("Make another", command("make", "more"))
    assert jobs.get(job.key).has_result  # what was made before is shown


def test_a_full_disk(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(InputError, match="No space left on device; free the disk"):
        jobs.ask("Make it", command("make"))
    monkeypatch.undo()
    assert jobs.all() == []


def test_a_damaged_record_is_left_out_and_asked_for_anew(jobs: Jobs) -> None:
    job = ended(jobs, jobs.ask("Make it", command("make")))
    (job.folder / ASKED).write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        read_job(job.folder)
    assert jobs.all() == []
    assert jobs.find(command("make")) is None


def test_a_job_whose_end_the_full_disk_did_not_take_says_so(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = jobs.ask("Wait", command("wait", tmp_path / "pids"))
    until(lambda: jobs.get(job.key).state == "running", "the start")
    os.kill(json.loads((job.folder / STATE).read_text())["pid"], signal.SIGKILL)
    assert "ended without a word" in ended(jobs, job).reason
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=0))
    assert jobs.get(job.key).reason.startswith("the disk is full")
