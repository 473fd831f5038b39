"""The command line: ``python tests/conformance FOLDER``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.__main__ import main
from conformance.fixtures import TESTING_DATA


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two fixtures that pass, one that fails, one that the public API cannot express."""
    query = {"route": "/a", "method": "GET", "parameters": {"query": {"n": {"type": "integer"}}}}
    request = {"method": "GET", "path": "/a?n=1"}
    limited = {"route": "/a", "method": "GET", "middleware": {"request_timeout": {"seconds": 1}}}
    for file, handler, body in [
        ("one/passes", query, {"n": 1}),
        ("two/passes", query, {"n": 1.0}),
        ("two/fails", query, {"n": 2}),
        ("two/unsupported", limited, {"n": "1"}),
    ]:
        document = {
            "name": "name",
            "description": "description",
            "handler": handler,
            "request": request,
            "expected_response": {"status_code": 200, "body": body},
        }
        path = tmp_path / f"{file}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document), "utf-8")
    return tmp_path


def test_prints_a_table_and_a_sum(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["category", "passed", "failed", "known", "fixed", "skipped"]
    assert lines[1].split() == ["one", "1", "-", "-", "-", "-"]
    assert lines[2].split() == ["two", "1", "2", "-", "-", "-"]
    assert lines[3].split() == ["total", "2", "2", "-", "-", "-"]
    assert "    /body/n: expected 2, got 1" in lines
    assert "    unsupported: middleware request_timeout" in lines
    assert lines[-1] == "2 passed, 2 failed"


def test_known_gaps_do_not_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gaps = folder / "gaps.txt"
    gaps.write_text("# comment\n\ntwo/fails.json\ntwo/unsupported.json  # middleware\n", "utf-8")
    assert main([str(folder), "--known-gaps", str(gaps)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed"


def test_known_gaps_that_pass_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gaps = folder / "gaps.txt"
    gaps.write_text("one/passes.json\ntwo/fails.json\nthree/gone.json\n", "utf-8")
    assert main([str(folder), "--known-gaps", str(gaps)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "fixed: one/passes.json passes and can leave gaps.txt" in lines
    assert "unknown: gaps.txt names three/gone.json, which is not there" in lines
    assert lines[-1] == "2 passed, 1 failed"


def test_runs_as_a_folder() -> None:
    command = [sys.executable, str(Path(__file__).parent), str(TESTING_DATA)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout.splitlines()[-1].endswith(" passed, 0 failed"), finished.stdout
    assert finished.returncode == 0


def test_a_folder_without_fixtures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main([str(tmp_path)])
