"""Runs a folder of fixtures and prints what passed: ``python tests/conformance FOLDER``."""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from conformance.fixtures import Fixture, read_folder
from conformance.parameters import UnsupportedError
from conformance.run import run

COLUMNS = ("passed", "failed", "known", "fixed", "skipped")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fixture."""

    fixture: Fixture
    column: str
    """Where it is counted; a fixed gap counts as passed as well."""
    reasons: Sequence[str] = ()
    """Why it failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of <category>/<name>.json")
    parser.add_argument(
        "--known-gaps", type=Path, metavar="FILE", help="names fixtures that are known to fail"
    )
    parser.add_argument("--verbose", action="store_true", help="print every mismatch")
    options = parser.parse_args(arguments)

    fixtures = read_folder(options.folder)
    if not fixtures:
        parser.error(f"{options.folder} has no <category>/<name>.json")
    gaps = read_gaps(options.known_gaps) if options.known_gaps else set()
    outcomes = [judge(fixture, gaps) for fixture in fixtures]

    for line in table(outcomes):
        print(line)
    shown = ("failed", "known") if options.verbose else ("failed",)
    for outcome in outcomes:
        if outcome.column in shown:
            reasons = outcome.reasons if options.verbose else outcome.reasons[:1]
            print(f"\n{outcome.column}: {outcome.fixture}")
            for reason in reasons:
                print(f"    {reason}")
    for fixture in (outcome.fixture for outcome in outcomes if outcome.column == "fixed"):
        print(f"\nfixed: {fixture} passes and can leave {options.known_gaps.name}")
    for name in sorted(gaps - {str(fixture) for fixture in fixtures}):
        print(f"\nunknown: {options.known_gaps.name} names {name}, which is not there")

    counts = Counter(outcome.column for outcome in outcomes)
    print(f"\n{counts['passed'] + counts['fixed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


def judge(fixture: Fixture, gaps: set[str]) -> Outcome:
    """Runs one fixture and sorts what came of it."""
    if fixture.document.get("skip"):
        return Outcome(fixture, "skipped")
    reasons = failures(fixture)
    is_known = str(fixture) in gaps
    if reasons:
        return Outcome(fixture, "known" if is_known else "failed", reasons)
    return Outcome(fixture, "fixed" if is_known else "passed")


def failures(fixture: Fixture) -> list[str]:
    """Why a fixture fails; empty if it passes."""
    try:
        return [str(mismatch) for mismatch in run(fixture)]
    except UnsupportedError as error:
        return [f"unsupported: {error}"]
    except Exception as error:  # what a fixture makes of the server must not end the run
        return [f"{type(error).__name__}: {error}"]


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each category, and one for all of them."""
    rows: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        rows.setdefault(outcome.fixture.category, Counter())[outcome.column] += 1
    rows["total"] = sum(rows.values(), Counter())
    width = max(map(len, rows))
    lines = [" ".join(["category".ljust(width), *(column.rjust(7) for column in COLUMNS)])]
    for name, counts in rows.items():
        cells = (str(counts[column] or "-").rjust(7) for column in COLUMNS)
        lines.append(" ".join([name.ljust(width), *cells]))
    return lines


def read_gaps(file: Path) -> set[str]:
    """Reads a list of fixtures, one a line; ``#`` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return {line for line in lines if line}


if __name__ == "__main__":
    # Handlers that raise on purpose would be told with their tracebacks.
    logging.getLogger("spikard").addHandler(logging.NullHandler())
    sys.exit(main())
