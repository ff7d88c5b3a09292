"""What every script of a stage shares: its log file, its error message, one thread for linear algebra."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # set before numpy loads: sums must not depend on the number of threads; the forests use threads of their own
    os.environ[name] = "1"

from starlabels.errors import InputError  # noqa: E402
from starlabels.usage import used  # noqa: E402


@contextmanager
def stage(snakemake) -> Iterator[logging.Logger]:
    """Run the body of a script: log to the rule's log file, at last what it used, and to stderr; end an `InputError` in one clear line."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setLevel(logging.INFO)  # what the job used is for its log file alone
    if snakemake.log:
        handlers.append(logging.FileHandler(snakemake.log[0], mode="w"))
    line = "%(asctime)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.WARNING, format=line, datefmt="%H:%M:%S", handlers=handlers, force=True)
    logging.getLogger("starlabels").setLevel(logging.DEBUG)
    log = logging.getLogger(f"starlabels.rule.{snakemake.rule}")
    try:
        yield log
        log.debug("used %s", used(snakemake.output, snakemake.threads))
    except InputError as error:
        log.error("ERROR: %s", error)
        sys.exit(1)
    except OSError as error:
        log.error("ERROR: %s: %s. Check the disk's space and the folder's rights.", error.filename or "a file", error.strerror or error)
        sys.exit(1)
    except Exception:
        log.exception("ERROR: this looks like a defect of the workflow, not of your input; the traceback follows")
        raise
