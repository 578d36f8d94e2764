"""`python -m benchmarks`: runs what is named, and puts it beside the last run."""

import json
import sys
import time

from benchmarks import __main__ as benchmarks


def test_what_was_measured_stands_beside_the_last_run(tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    known = "thumbnails, files"
    benchmarks.note(history, True, [benchmarks.Ran("scale", "done", 1.0, {known: "earlier"})])
    assert benchmarks.main(["scale", "--quick", "--history", str(history)]) == 0
    _, today = map(json.loads, history.read_text().splitlines())
    value = today["figures"]["scale"][known]
    assert f"| | {known} | {value} | earlier |" in capsys.readouterr().out


def test_figures_of_another_size_are_not_compared(tmp_path):
    history = tmp_path / "history.jsonl"
    benchmarks.note(history, True, [benchmarks.Ran("a", "done", 1.0, {"speed": "5"})])
    assert benchmarks.last_run(history, quick=True) == {"a": {"speed": "5"}}
    assert benchmarks.last_run(history, quick=False) == {}


def test_what_takes_too_long_is_stopped_with_its_children(monkeypatch, tmp_path):
    pid_file = tmp_path / "pid"
    script = tmp_path / "hangs"
    script.write_text(
        f"""#!/bin/sh
printf '| a | b |\\n|---|---|\\n| rows | 3 |\\n'
sleep 60 &
echo $! > {pid_file}
wait
"""
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    ran = benchmarks.run("hangs", (), limit_s=3.0)
    assert (ran.state, ran.figures) == ("stopped", {"rows": "3"})
    pid = int(pid_file.read_text())
    for _ in range(100):
        if not is_running(pid):
            break
        time.sleep(0.05)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a process is there, and no zombie that nobody waits for."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_unknown_benchmark_is_wrong_use(capsys):
    assert benchmarks.main(["nonsense"]) == 2
    assert "there is no benchmark 'nonsense'" in capsys.readouterr().err
