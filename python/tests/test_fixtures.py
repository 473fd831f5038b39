"""Every fixture of this workspace, through the test client."""

import pytest

from conformance.fixtures import TESTING_DATA, Fixture, read_folder
from conformance.run import run

FIXTURES = read_folder(TESTING_DATA)


def test_there_are_fixtures() -> None:
    assert len(FIXTURES) > 100


@pytest.mark.parametrize(
    ("is_async", "is_annotated"),
    [(False, False), (True, False), (True, True)],
    ids=["def", "async def", "annotated"],
)
@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_fixture(fixture: Fixture, is_async: bool, is_annotated: bool) -> None:
    mismatches = run(fixture, is_async=is_async, is_annotated=is_annotated)
    assert not mismatches, "\n".join(map(str, mismatches))
