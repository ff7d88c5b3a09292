"""The flow table counts what each cut leaves."""

import numpy as np
import pytest

from starlabels.flow import Flow, merge


def test_masks_and_numbers_count_alike():
    flow = Flow(5)
    flow.cut("bright", np.array([True, True, True, False, True])).cut("single", 3)
    assert flow.to_list() == [
        {"cut": "all rows", "kept": 5, "dropped": 0},
        {"cut": "bright", "kept": 4, "dropped": 1},
        {"cut": "single", "kept": 3, "dropped": 1},
    ]
    assert flow.kept == 3


def test_a_list_handed_out_is_a_copy():
    flow = Flow(2)
    flow.to_list()[0]["kept"] = 9
    assert flow.kept == 2


@pytest.mark.parametrize("kept", [4, -1, np.array([True, False]), np.array([1, 0, 1])])
def test_impossible_cuts_are_refused(kept):
    with pytest.raises(ValueError, match="cut 'x'"):
        Flow(3).cut("x", kept)


def test_merge_sums_cells():
    parts = [Flow(3).cut("a", 2), Flow(0).cut("a", 0), Flow(7).cut("a", 7).to_list()]
    assert merge(parts) == [{"cut": "all rows", "kept": 10, "dropped": 0}, {"cut": "a", "kept": 9, "dropped": 1}]


def test_merge_refuses_other_cuts():
    with pytest.raises(ValueError, match="different cuts"):
        merge([Flow(3).cut("a", 2), Flow(3).cut("b", 2)])
    with pytest.raises(ValueError, match="no flow"):
        merge([])


def test_notes_count_values_and_keep_rows():
    parts = [Flow(5).note("sentinel", 3).cut("a", 4), Flow(2).note("sentinel", 1).cut("a", 2)]
    assert merge(parts) == [
        {"cut": "all rows", "kept": 7, "dropped": 0},
        {"cut": "sentinel", "kept": 7, "dropped": 0, "made_missing": 4},
        {"cut": "a", "kept": 6, "dropped": 1},
    ]
