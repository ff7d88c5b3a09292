"""What is printed at the end of a run."""

import os

import pytest

from starlabels import messages

BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{}\t0:00:01\t{}\t1.0\n"


@pytest.fixture
def results(tmp_path):
    for name, seconds, memory, age in (("train/a", 60, 500, 0), ("train/b", 120, 300, 0), ("scan/all", 6, "-", 0), ("old/x", 600, 1, 5000)):
        path = tmp_path / "results/benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BENCHMARK.format(seconds, memory))
        os.utime(path, (1e9 - age, 1e9 - age))
    return tmp_path / "results"


def test_minutes_and_peak_memory_by_stage_of_this_run(results):
    table = messages.stage_minutes(results, started=1e9 - 10).set_index("rule")
    assert table["minutes"].to_dict() == pytest.approx({"train": 3.0, "scan": 0.1})
    assert table.loc["train", "jobs"] == 2 and table.loc["train", "peak_mb"] == 500 * 1.048576  # Snakemake counts in MiB


def test_closing_message_says_simulated_and_names_folders_that_exist(results, tmp_path):
    (tmp_path / "figures/sages").mkdir(parents=True)
    (tmp_path / "figures/sages/fig01.png").write_text("")
    text = messages.closing_message(str(results), str(tmp_path / "figures"), ["sages"], True, ["fig09 (needs h23)"])
    assert "1 figures" in text and "SIMULATED" in text and "fig09 (needs h23)" in text and "train" in text
    assert "final catalogues" not in text
    assert "SIMULATED" not in messages.closing_message(str(results), str(tmp_path / "figures"), ["sages"], False, [])


def test_failure_message_quotes_the_error_of_this_run(results):
    log = results / "logs/train/a.log"
    log.parent.mkdir(parents=True)
    log.write_text("08:00:00 starlabels: ERROR: file.fits: is truncated. Fetch it again\n")
    os.utime(log, (1e9, 1e9))
    text = messages.failure_message(str(results), "snakemake.log", started=1e9 - 10)
    assert "file.fits: is truncated" in text and str(log) in text
    text = messages.failure_message(str(results), "snakemake.log", started=1e9 + 10)
    assert "truncated" not in text and "may have been killed" in text


# Snakemake 9 with its SLURM plugin, as printed; paths and the middles of the quoted logs cut
RULE_KILLED = """\
[Mon Nov 23 17:21:58 2026]
Error in rule big:
    message: SLURM-job '7' failed, SLURM status is: 'FAILED'. Reason: Unknown.For further error details see the cluster/cloud log.
    jobid: 1
    output: big.txt
    log: {folder}/logs/big.log, {folder}/7.log (check log file(s) for error details)
    shell:
        sleep 200; touch big.txt
        (command exited with non-zero exit code)
    external_jobid: 7
Logfile {folder}/logs/big.log not found.
Trying to restart job 1.
"""
RULE_TIMEOUT = """\
[Mon Nov 23 17:23:31 2026]
Error in rule slow:
    message: SLURM-job '8' failed, SLURM status is: 'TIMEOUT'. Reason: Unknown.For further error details see the cluster/cloud log.
    jobid: 5
    output: slow.txt
    log: {folder}/logs/slow.log, {folder}/8.log (check log file(s) for error details)
    external_jobid: 8
Logfile {folder}/logs/slow.log: empty file
"""
GROUP_FAILED = """\
[Mon Nov 23 17:21:21 2026]
    message: Error in group drawing
    log: {folder}/6.log (check log file(s) for error details)
    jobs:
        rule figure:
            jobid: 3
            output: figure2.txt
            log: {folder}/logs/figure2.log (check log file(s) for error details)
        rule figure:
            jobid: 2
            output: figure1.txt
            log: {folder}/logs/figure1.log (check log file(s) for error details)
Logfile {folder}/6.log:
================================================================================
Command: snakemake
=========
Finished jobid: 2 (Rule: figure)
[Mon Nov 23 17:20:58 2026]
Error in rule figure:
    message: None
    jobid: 0
    output: figure1.txt
    log: {folder}/logs/figure1.log (check log file(s) for error details)
srun: error: cpu1: task 0: Exited with exit code 1
================================================================================
Logfile {folder}/logs/figure2.log: empty file
    [Mon Nov 23 17:21:21 2026]
    Error in rule figure:
        message: None
        jobid: 3
        output: figure2.txt
        log: {folder}/logs/figure2.log (check log file(s) for error details)
    Logfile {folder}/logs/figure2.log: empty file
    [Mon Nov 23 17:21:21 2026]
    Error in rule figure:
        message: None
        jobid: 2
        output: figure1.txt
        log: {folder}/logs/figure1.log (check log file(s) for error details)
"""
KILLED = """\
slurmstepd-cpu1: error: StepId=7.batch exceeded memory limit (127963136 > 62914560), being killed
slurmstepd-cpu1: error: *** JOB 7 ON cpu1 CANCELLED AT 2026-11-23T17:21:08 ***
"""


@pytest.fixture
def cluster(tmp_path):
    """A function that writes Snakemake's log of so many events and tells what is said of them."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/figure1.log").write_text("08:00:00 starlabels: ERROR: a.fits: is short. Fetch it again\n")
    (tmp_path / "logs/figure2.log").write_text("08:00:00 starlabels: all is well\n")
    (tmp_path / "7.log").write_text(KILLED)

    def say(*events, started=0.0):
        log = tmp_path / "snakemake.log"
        log.write_text("".join(events).replace("{folder}", str(tmp_path)))
        return messages.failure_message(str(tmp_path / "results"), str(log), started)

    return say


def test_the_failed_job_of_a_group_is_the_one_whose_log_holds_an_error(cluster, tmp_path):
    text = cluster(GROUP_FAILED)
    assert f"  a.fits: is short. Fetch it again\n    (log: {tmp_path}/logs/figure1.log)" in text
    assert text.count("(log:") == 1
    failure = messages.failed_jobs((tmp_path / "snakemake.log").read_text())
    assert [(f.name, f.jobs, f.logs[-1]) for f in failure] == [("figure", {"2", "3"}, f"{tmp_path}/6.log")]


def test_a_killed_slurm_job_is_told_in_plain_words(cluster, tmp_path):
    text = cluster(RULE_KILLED, RULE_TIMEOUT)
    assert "big: SLURM job 7 needed more memory than it asked for" in text and f"(log: {tmp_path}/7.log)" in text
    assert "slow: SLURM job 8 needed more time than it asked for" in text and "slow:runtime" not in text
    assert text.count("(log:") == 2


def test_a_group_that_was_killed_is_told_by_the_log_of_its_slurm_job(cluster, tmp_path):
    (tmp_path / "logs/figure1.log").write_text("")
    (tmp_path / "6.log").write_text("slurmstepd: error: *** JOB 6 ON n1 CANCELLED AT 2026-11-23T17:21:08 DUE TO TIME LIMIT ***\n")
    assert "figure: its SLURM job needed more time than it asked for" in cluster(GROUP_FAILED)


def test_a_job_that_a_later_attempt_finished_did_not_fail(cluster):
    text = cluster(RULE_KILLED, RULE_TIMEOUT, "[Mon Nov 23 17:30:00 2026]\nFinished jobid: 1 (Rule: big)\n3 of 5 steps (60%) done\n")
    assert "big:" not in text and "slow: SLURM job 8" in text
    # and the last of several attempts is told once
    assert cluster(RULE_KILLED, RULE_KILLED.replace("'7'", "'13'")).count("big: SLURM job 13") == 1


def test_a_log_of_an_earlier_run_is_not_quoted(cluster, tmp_path):
    os.utime(tmp_path / "logs/figure1.log", (1e9, 1e9))
    assert "a.fits" not in cluster(GROUP_FAILED, started=1e9 + 3600)
