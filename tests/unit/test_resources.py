"""Requests for memory and time."""

import pytest

from starlabels import resources


@pytest.fixture
def sized(tmp_path):
    """Make a file of so many megabytes that takes no disk."""

    def make(name, megabytes):
        with open(tmp_path / name, "wb") as file:
            file.truncate(int(megabytes * 1e6))
        return str(tmp_path / name)

    return make


def test_small_inputs_ask_for_the_base_and_each_attempt_for_twice_as_much(sized):
    ask = resources.memory(3000, per_input=2)
    small = [sized("a", 1), sized("b", 200)]
    assert [ask(None, small, attempt) for attempt in (1, 2, 3, 4)] == [3000, 6000, 12000, 24000]
    assert [resources.memory(4000)(None, small, attempt) for attempt in (1, 2)] == [4000, 8000]


def test_memory_grows_with_the_sum_of_the_inputs_in_whole_steps(sized):
    ask = resources.memory(3000, per_input=2)
    assert ask(None, [sized("a", 1510)], 1) == 3100
    assert ask(None, [sized("a", 1510), sized("b", 1000)], 1) == 5100
    assert resources.memory(3000)(None, [sized("a", 1e5)], 1) == 3000


def test_the_first_attempt_never_asks_for_more_than_8000_but_the_next_may(sized):
    ask = resources.memory(3000, per_input=2)
    assert [ask(None, [sized("a", 1e6)], attempt) for attempt in (1, 2)] == [8000, 16000]


def test_missing_files_and_folders_count_nothing(sized, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    assert resources.input_mb([sized("a", 5), str(folder), str(tmp_path / "not made yet")]) == 5
    assert resources.memory(2000, per_input=9)(None, [str(tmp_path / "not made yet")], 1) == 2000


def test_time_grows_with_attempts_and_inputs_up_to_two_days(sized):
    ask = resources.runtime(240, per_input=0.1)
    assert [ask(None, [sized("a", 1)], attempt) for attempt in (1, 2, 3, 4, 5)] == [240, 480, 960, 1920, 2880]
    assert ask(None, [sized("a", 2444)], 1) == 245
    assert ask(None, [sized("a", 1e6)], 1) == 2880
    # a rule that states more keeps it
    assert [resources.runtime(4000)(None, [], attempt) for attempt in (1, 2)] == [4000, 4000]


@pytest.mark.parametrize("wrong", [(0, 0), (9000, 0), (3000, -1)])
def test_a_request_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="per_input at least 0"):
        resources.memory(*wrong)
    if wrong[0] != 9000:
        with pytest.raises(ValueError, match="per_input at least 0"):
            resources.runtime(*wrong)
