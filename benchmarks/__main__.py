"""`python -m benchmarks [name ...] [--large] [--threads 2] [--out results/benchmark]`, from the project's root."""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run the benchmarks that the command line names."""
    from .run import NAMES, run_and_write
    from .worker import usable_cores

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare the engines with their peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"all by default; of: {', '.join(NAMES)}")
    parser.add_argument("--large", action="store_true", help="sizes of the papers: hours, 10 GB of disk")
    parser.add_argument("--threads", type=int, default=2, help="cores that every contestant may use (2)")
    parser.add_argument("--out", type=Path, default=Path("results/benchmark"), help="folder of the table (results/benchmark)")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; known: {', '.join(NAMES)}")
    if not 1 <= chosen.threads <= usable_cores():
        parser.error(f"--threads is {chosen.threads}; {usable_cores()} cores can be used here")
    command = " ".join(["python -m benchmarks", *arguments])
    return run_and_write(chosen.names or NAMES, "large" if chosen.large else "bench", chosen.threads, chosen.out, command)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main(sys.argv[1:]))
