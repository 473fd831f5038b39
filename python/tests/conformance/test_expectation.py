"""The comparison of responses, against the table that every implementation of it reads."""

import json
from typing import Any

import pytest

from conformance.expectation import check
from conformance.fixtures import TESTING_DATA

CASES = json.loads((TESTING_DATA / "expectations.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_finds_the_mismatches_of_the_table(case: dict[str, Any]) -> None:
    response = case["response"]
    headers = [(name, value) for name, value in response["headers"]]
    mismatches = check(
        case["expected_response"], response["status_code"], headers, response["content"].encode()
    )
    places = sorted(mismatch.place for mismatch in mismatches)
    assert places == sorted(case["mismatches"]), mismatches
