"""What the rave half of a run consists of, worked out from the configuration alone: slices, tables, variants, batches of networks."""

import glob
import os
from collections.abc import Mapping
from pathlib import Path

from ..acquire.archives import Archives
from ..errors import InputError
from ..sky.rave import layout
from ..sky.rave.native import literature as high_resolution

#: tables that the training and observed samples are made of (Sections 2 and 4.1)
TABLES = ("rave_obsdata", "rave_sparv", "rave_classification", "rave_gaiadr2", "rave_xmatch", "apogee16", "starhorse")
#: tables that only comparisons need; without files their columns are missing throughout
COMPARISONS = ("rave_madera", "rave_bdasp", "rave_irfm", "rave_gauguin", "rave_seismic", "rave_orbits")
#: groups of lists (`group` in config/datasets.yaml) of single stars from the literature (Sections 6.4 and 6.6)
LITERATURE = ("high_resolution", "cluster")
NETWORKS = ("photometry", "spectra")
#: variants that are ensembles in their own right, not studies of the main one
OWN_SAMPLES = ("main", "public")
ENDINGS = {"apogee16": "fits", "starhorse": "txt"}


class RavePlan:
    """Slices of the survey, native tables and networks.

    Parameters
    ----------
    config : mapping
        The merged configuration, checked against its schema.
    archives : Archives, optional
        Roads to the archives, when `source` is `archives`.

    Raises
    ------
    InputError
        For a folder or table that is configured and not there, or when a file is asked for of a dataset that has none.
    """

    #: dataset that lists the published spectra and their addresses; its slices are the run's when the spectra come from the archive
    INDEX = "rave_spectra_index"

    def __init__(self, config: Mapping, archives: Archives | None = None):
        self.config, self.cfg, self.archives = config, config["rave"], archives
        self.simulated = config["source"] == "simulated"
        self.wanted = "rave" in config["papers"]
        if self.simulated:
            self._check_simulated()
        self.shards = [shard.name for shard in layout.shards(config)] if self.simulated else []
        self._folders = {} if self.simulated or not self.wanted else self._slice_folders()
        self.slices = self.shards if self.simulated else list(self._folders)
        if self.wanted and not self.simulated:
            for dataset in self.required():
                self.native_files(dataset)

    def _check_simulated(self) -> None:
        """The simulated sky publishes lists of its own only."""
        known = {*high_resolution.LISTS, *(entry[0] for entry in high_resolution.CLUSTER_LISTS.values())}
        for name in (n for n, spec in self.config["datasets"].items() if spec.get("group") in LITERATURE and n not in known):
            remedy = f"Use `source: files`, or take it out; the simulated lists are {', '.join(sorted(known))}"
            raise InputError(f"configuration key `datasets.{name}`", "is a list that the simulated sky does not have", remedy)

    def _slice_folders(self) -> dict[str, list[str]]:
        """Real spectra: slices of the archive's index, or folders gathered to slices of at most `rave.spectra.batch` files.

        A larger folder is a slice of its own.
        """
        if self.archives is not None and not self.cfg["spectra"]["folders"]:
            names = [f"slice-{k:03d}" for k in range(len(self.archives.pieces(self.INDEX)))]
            return {name: [f"{self.archives.folder}/rave_spectra/{name}"] for name in names}
        patterns = self.cfg["spectra"]["folders"]
        expanded = [os.path.expanduser(os.path.expandvars(pattern)) for pattern in patterns]
        folders = sorted({path for pattern in expanded for path in glob.glob(pattern) if os.path.isdir(path)})
        if not folders:
            found = f"matches no folder ({', '.join(expanded) or 'empty'})"
            raise InputError("configuration key `rave.spectra.folders`", found, "Give the folders that hold the RAVE_*.fits files")
        slices, size = [[]], 0
        for folder in folders:
            n = sum(1 for _ in Path(folder).rglob("RAVE_*.fits"))
            if slices[-1] and size + n > self.cfg["spectra"]["batch"]:
                slices.append([])
                size = 0
            slices[-1].append(folder)
            size += n
        return {f"part-{k:03d}": members for k, members in enumerate(slices)}

    def spectra_folders(self, name: str) -> list[str]:
        """Folders of the spectra of a slice."""
        return [f"{self._native}/rave_spectra/{name}"] if self.simulated else self._folders[name]

    @property
    def _native(self) -> str:
        return f"{self.config['output']['results']}/native"

    def literature(self) -> list[str]:
        """Lists of single stars from the literature that the run has files of."""
        names = [n for n, spec in self.config["datasets"].items() if spec.get("group") in LITERATURE]
        return [n for n in names if self._has(n)]

    def comparisons(self) -> list[str]:
        """Tables of comparison that the run has files of."""
        return [n for n in COMPARISONS if self._has(n)]

    def _has(self, dataset: str) -> bool:
        if self.archives is not None:
            return self.archives.has(dataset)
        return self.simulated or bool(self.config["datasets"][dataset].get("files"))

    def required(self) -> list[str]:
        """Datasets that the run cannot do without."""
        include = self.cfg["training"]["include"]
        return [*TABLES, *([include] if include else [])]

    def tables(self) -> list[str]:
        """Datasets joined to the spectra."""
        return [*self.required(), *self.comparisons()]

    def simulated_datasets(self) -> list[str]:
        """Every dataset that the simulated survey publishes shard by shard."""
        return [*TABLES, *COMPARISONS, *self.literature()] if self.simulated else []

    def datasets(self) -> list[str]:
        """Every dataset that the run reads."""
        return [*self.tables(), *self.literature()]

    @staticmethod
    def ending(dataset: str) -> str:
        """File ending of a simulated native table."""
        return ENDINGS.get(dataset, "csv")

    def native_files(self, dataset: str) -> list[str]:
        """The native files of a dataset, in a fixed order.

        Raises
        ------
        InputError
            When nothing matches the patterns of the dataset.
        """
        if dataset in self.simulated_datasets():
            return [f"{self._native}/{dataset}/part-{shard}.{self.ending(dataset)}" for shard in self.shards]
        if self.archives is not None and self.archives.fetched(dataset):
            return self.archives.files(dataset)
        patterns = [os.path.expanduser(os.path.expandvars(p)) for p in self.config["datasets"][dataset].get("files") or []]
        found = sorted({path for pattern in patterns for path in glob.glob(pattern)})
        if not found:
            text = f"matches no file ({', '.join(patterns) or 'empty'})"
            raise InputError(f"configuration key `datasets.{dataset}.files`", text, "Give the path or pattern of the file")
        return found

    def index_piece(self, name: str) -> str:
        """The native file that lists the spectra of a slice of the archive."""
        return self.archives.files(self.INDEX)[int(name.rsplit("-", 1)[1])]

    def n_networks(self, variant: str, network: str) -> int:
        """Networks trained for a variant."""
        return self.cfg["ensemble"]["n_networks"][network] if variant in OWN_SAMPLES else self.cfg["studies"]["n_networks"]

    def batches(self, variant: str, network: str) -> list[str]:
        """Names of the jobs that train the networks of an ensemble."""
        count = -(-self.n_networks(variant, network) // self.cfg["ensemble"]["batch_networks"])
        return [f"{k:03d}" for k in range(count)]

    def batch_members(self, variant: str, network: str, batch: str) -> list[int]:
        """Numbers of the networks of one job."""
        size = self.cfg["ensemble"]["batch_networks"]
        return list(range(int(batch) * size, min((int(batch) + 1) * size, self.n_networks(variant, network))))

    def variants(self) -> list[str]:
        """Variants of the target `studies`."""
        return [name for name in self.cfg["variants"] if name not in OWN_SAMPLES]

    def expand(self, pattern: str) -> str | list[str]:
        """Paths below the results folder; `{slice}` stands for every slice."""
        base = f"{self.config['output']['results']}/{pattern}"
        return [base.format(slice=name) for name in self.slices] if "{slice}" in pattern else base

    def available(self) -> set[str]:
        """What the run can show; figures name what they need of it."""
        have: set[str] = {name for name in self.comparisons()} | {"literature" for _ in self.literature()[:1]}
        have |= {"rave_truth"} if self.simulated else set()
        have |= {"real_spectra"} if self.cfg["real_spectra"] else set()
        return have
