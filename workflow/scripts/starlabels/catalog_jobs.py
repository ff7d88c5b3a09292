"""Which catalogues are made by several jobs, and how files and cells are shared out among them; from the configuration alone."""

from collections.abc import Callable, Mapping, Sequence

from .errors import InputError


def shares(items: Sequence, size: int) -> list[list]:
    """The items in their order, so many at once (the last share may be smaller)."""
    return [list(items[first : first + size]) for first in range(0, len(items), size)]


class CatalogJobs:
    """Parts and groups of cells of the catalogues that have more native files than one job takes.

    Parameters
    ----------
    datasets : mapping
        Name -> entry in config/datasets.yaml, of those cut into the cells of the run.
    native_files : callable
        Name -> native files; an `InputError` when the run has none of them.
    cells : sequence of int
        The cells of the run.
    files_per_job, cells_per_job : int
        Shares.

    Attributes
    ----------
    parts : dict
        Dataset -> name of a part -> its files.  Datasets that one job makes are not in it: those with few files, and those whose
        rows get a running number (`generate_id`), which no job could know beforehand.
    groups : dict
        Name of a group -> its cells; the same for every dataset.
    """

    def __init__(
        self, datasets: Mapping, native_files: Callable[[str], list[str]], cells: Sequence[int], files_per_job: int, cells_per_job: int
    ):
        self.groups = {f"{number:03d}": share for number, share in enumerate(shares(sorted(cells), cells_per_job))}
        self.parts = {}
        for dataset, entry in datasets.items():
            files = [] if "generate_id" in entry else self._files(dataset, native_files)
            if len(files) > files_per_job:
                self.parts[dataset] = {f"{number:04d}": share for number, share in enumerate(shares(files, files_per_job))}

    @staticmethod
    def _files(dataset: str, native_files: Callable[[str], list[str]]) -> list[str]:
        """The sorted native files (their order is that of the rows); none for a dataset that the run does not have."""
        try:
            return sorted(native_files(dataset))
        except InputError:
            return []                     # an error only when a job needs it
