"""What a run consists of, worked out from the configuration alone: cells, shards, files, figures. No data is read."""

import glob
import os
from collections.abc import Mapping
from pathlib import Path

from . import settings
from .acquire.archives import Archives
from .acquire.roads import cells_north_of
from .cells import cell_name
from .errors import InputError
from .rave.plan import RavePlan
from .references import linked_by_id, survey_datasets
from .sages.counterparts import EXTERNALS, bands_used, catalogue_of
from .sky import layout

#: endings of the simulated sky's native files, as the archives publish them
NATIVE_ENDINGS = {
    "sages": "fits", "gaia": "ecsv.gz", "twomass": "psv", "allwise": "parquet", "galex": "fits", "tmass_best_neighbour": "csv",
    "allwise_best_neighbour": "csv", "lamost": "fits.gz", "apogee": "fits", "rave5": "csv", "pastel": "tsv", "h23": "fits", "a23": "fits",
}  # fmt: skip


#: what figures need that belong to the target `studies`
STUDY = "rave_studies"
#: needs that only a run that asks for them has; figures without them are no loss of another run
ON_REQUEST = {STUDY, "real_spectra"}


class Plan:
    """The run that a configuration describes. Surveys that are null are taken out of `config`.

    Parameters
    ----------
    config : mapping
        The merged configuration.
    root : path
        The project's root, where schemas and defaults stand.

    Raises
    ------
    InputError
        For the first configuration key that is unknown, missing or wrong.
    """

    def __init__(self, config: Mapping, root: str | Path):
        self.config, self.root = config, Path(root)
        schemas = [settings.load_yaml(self.root / f"workflow/schemas/{name}.schema.yaml") for name in ("config", "datasets")]
        settings.check(config, *schemas)
        settings.without_nulls(config)
        self.simulated = config["source"] == "simulated"
        self.sages = config["sages"]
        self.matched = self.sages["photometry"]["matched"]
        self.shards = [shard.name for shard in layout.shards(config)] if self.simulated else []
        self.cells = self._cells()
        self.archives = Archives(config, self.cells) if config["source"] == "archives" else None
        self.rave = RavePlan(config, self.archives)
        self.cell_names = [cell_name(cell) for cell in self.cells]
        self._figures = settings.load_yaml(self.root / "config/figures.yaml")
        if "sages" not in config["papers"]:
            return
        if not self.simulated:
            self._check_files()
        made_here = {"simulated": self.simulated, "archives": self.archives is not None}.get(config["dust"]["map"], False)
        if self.sages["photometry"]["ebv"] == "sfd" and not made_here:
            self._check_dust()

    def _check_files(self) -> None:
        """Every native file that the run reads must be there before it starts; all that lack are named at once."""
        lacking = {}
        if self.archives is not None:
            self.archives.check_margins(self.datasets_read())
            external = self.sages["validation"]["external"]
            for name in set(self.config["archives"]["without"]) & set(self.datasets_read()):
                remedy = f"Take `{name}` out of sages.validation.external" if name in external else "Take it out"
                raise InputError("configuration key `archives.without`", f"names `{name}`, which the run needs", remedy)
        for dataset in self.datasets_read():
            try:
                self.native_files(dataset)
            except InputError as error:
                lacking[dataset] = error
        if lacking:
            first = next(iter(lacking.values()))
            others = f"; the same for {', '.join(list(lacking)[1:])}" if len(lacking) > 1 else ""
            raise InputError(first.where, first.found + others, first.remedy)

    def _check_dust(self) -> None:
        """The real maps must be there before the run starts."""
        lost = [pole for pole in ("ngp", "sgp") if not Path(self.dust_folder(), f"SFD_dust_4096_{pole}.fits").is_file()]
        if self.config["dust"]["map"] in ("simulated", "archives") or lost:
            found = f"is `{self.config['dust']['map']}`, where there is no SFD_dust_4096_{(lost or ['ngp'])[0]}.fits of the real sky"
            raise InputError("configuration key `dust.map`", found, "Give the folder of the two SFD maps")

    def datasets_read(self) -> list[str]:
        """Every dataset whose native files the run reads."""
        if self.matched is not None:
            return [self.matched]
        clusters = self.sages["clusters"]["list"]
        harris = ["harris"] if any(cluster["feh"] == "harris" for cluster in clusters) else []
        return [*self.photometry_datasets(), *self.label_datasets(), *self.sages["validation"]["external"], *harris]

    def _cells(self) -> list[int]:
        chosen, nside = self.config["cells"]["list"], self.config["cells"]["nside"]
        everything = list(range(12 * nside**2))
        if self.matched is not None and self.config["datasets"][self.matched].get("cell_by") == "none":
            return [0]
        if chosen == "auto" and self.config["source"] == "archives":
            return cells_north_of(self.config["archives"]["dec_min"], nside)
        if chosen == "auto":
            return layout.cells(self.config) if self.simulated else everything
        if chosen == "all":
            return everything
        if isinstance(chosen, str):
            raise InputError("configuration key `cells.list`", f"is `{chosen}`", "Use auto, all or a list of cell numbers")
        outside = [c for c in chosen if c >= len(everything)]
        if outside:
            raise InputError(
                "configuration key `cells.list`", f"names cell {outside[0]}", f"With nside {nside} cells end at {len(everything) - 1}"
            )
        return sorted(set(chosen))

    def vmp_lists(self) -> list[str]:
        """Names of the datasets that together are the lists of very metal-poor stars."""
        return survey_datasets("vmp", self.config["datasets"])

    def low_resolution_lists(self) -> list[str]:
        """Those of the lists of very metal-poor stars that give way to the others (`resolution: low`, A-19)."""
        return [name for name in self.vmp_lists() if self.config["datasets"][name].get("resolution") == "low"]

    def label_datasets(self) -> list[str]:
        """Datasets that the training and test samples need, in the order of the configuration."""
        surveys = dict.fromkeys(name for role in ("train", "test") for name in self.sages["samples"][role])
        return [dataset for survey in surveys for dataset in survey_datasets(survey, self.config["datasets"])]

    def photometry_datasets(self) -> list[str]:
        """Datasets that matched stars are made of: the primary catalogue, Gaia, and what the bands of the data sets need."""
        needed = {catalogue_of(self.sages, band) for band in bands_used(self.sages)}
        names = [self.sages["photometry"]["primary"], "gaia"]
        for dataset in EXTERNALS:
            if dataset in needed:
                neighbour = self.sages["crossmatch"]["best_neighbour"].get(dataset)
                names += [dataset, neighbour] if neighbour else [dataset]
        return names

    def native_files(self, dataset: str) -> list[str]:
        """The native files of a dataset, in a fixed order.

        Raises
        ------
        InputError
            When the user has the files (`source: files`, or the road `mine`), and nothing matches the patterns.
        """
        results = self.config["output"]["results"]
        if self.archives is not None and self.archives.fetched(dataset):
            return self.archives.files(dataset)
        if dataset == "harris" and self.simulated:
            return [f"{results}/native/harris/mwgc.dat"]
        if self.simulated and self.matched is None and dataset in self.simulated_datasets():
            return [f"{results}/native/{dataset}/part-{shard}.{self.ending(dataset)}" for shard in self.shards]
        patterns = self.config["datasets"][dataset].get("files") or []
        found = sorted({path for pattern in patterns for path in glob.glob(os.path.expanduser(os.path.expandvars(pattern)))})
        if not found:
            raise InputError(
                f"configuration key `datasets.{dataset}.files`",
                f"matches no file ({', '.join(os.path.expandvars(p) for p in patterns) or 'empty'})",
                "Give the path or pattern of the file in your configuration (environment variables are filled in)",
            )
        return found

    def spec(self, dataset: str) -> dict:
        """The entry of a dataset as its native files need it to be read."""
        return self.archives.spec(dataset) if self.archives is not None else self.config["datasets"][dataset]

    def acquired(self) -> list[tuple[str, dict, dict]]:
        """(dataset, entry, road) of everything that the run reads from the archives."""
        if self.archives is None:
            return []
        names = self.datasets_read() if "sages" in self.config["papers"] else []
        names += [*self.rave.datasets(), self.rave.INDEX] if self.rave.wanted else []
        return [(name, self.spec(name), dict(self.archives.road(name))) for name in dict.fromkeys(names)]

    def archive_files(self) -> list[str]:
        """Everything that the run fetches: native files, maps, spectra."""
        if self.archives is None:
            return []
        found = [path for name, _, _ in self.acquired() for path in self.archives.files(name)]
        if self.config["dust"]["map"] == "archives" and "sages" in self.config["papers"]:
            found += [f"{self.dust_folder()}/SFD_dust_4096_{pole}.fits" for pole in ("ngp", "sgp")]
        if self.rave.wanted and not self.config["rave"]["spectra"]["folders"]:
            found += [folder for name in self.rave.slices for folder in self.rave.spectra_folders(name)]
        return found

    def matched_catalogs(self) -> list[str]:
        """Catalogues that are matched to Gaia by position, with Gaia itself first."""
        neighbours = set(self.sages["crossmatch"]["best_neighbour"].values())
        photometry = [name for name in self.photometry_datasets() if name not in neighbours and name != "gaia"]
        return ["gaia", *photometry, *[name for name in self.label_datasets() if not linked_by_id(self.config["datasets"][name])]]

    def validations(self) -> list[str]:
        """Names of validation results (`validation/<name>.json`) that a run should have whether or not a figure reads them."""
        names = [f"{kind}{entry['id']}" for entry in self.sages["data_sets"] for kind in ("test_set", "sample_set")]
        if "truth" in self.available():
            names += [f"truth_set{entry['id']}" for entry in self.sages["data_sets"]]
        return names + (["vmp_lists"] if "vmp" in self.sages["samples"]["test"] and self.matched is None else [])

    def result_files(self, pattern: str) -> str | list[str]:
        """Path of a result below the results folder; `{k}` stands for every data set, `{cell}` and `{slice}` for every one of the run."""
        if "{slice}" in pattern:
            return self.rave.expand(pattern)
        base = f"{self.config['output']['results']}/{pattern}"
        if "{k}" in pattern:
            return [base.format(k=entry["id"]) for entry in self.sages["data_sets"]]
        return [base.format(cell=cell) for cell in self.cell_names] if "{cell}" in pattern else base

    @staticmethod
    def ending(dataset: str) -> str:
        """File ending of a simulated native file."""
        return NATIVE_ENDINGS.get(dataset, "csv")

    def simulated_datasets(self) -> list[str]:
        """Every dataset that the simulated sky publishes shard by shard."""
        return [*NATIVE_ENDINGS, *self.vmp_lists()]

    def dust_folder(self) -> str:
        """Folder of the SFD maps."""
        chosen = self.config["dust"]["map"]
        made = {"simulated": f"{self.config['output']['results']}/native/dust", "archives": f"{self.config['archives']['folder']}/dust"}
        return made.get(chosen, chosen)

    def available(self, paper: str = "sages") -> set[str]:
        """What this run can show of a paper; figures name what they need of it."""
        if paper == "rave":
            return self.rave.available()
        have = {f"set{entry['id']}" for entry in self.sages["data_sets"]}
        if self.simulated and self.matched is None:
            have |= {"truth", "positions"}
        elif self.matched is None:
            have |= {"positions"}
        if self.sages["features"]["abs_magnitude"] and self.sages["classes"]["rule"] == "cmd":
            have.add("cmd")
        if self.matched is None:
            have |= {f"external_{name}" for name in self.sages["validation"]["external"]}
            if self.sages["clusters"]["list"]:
                have.add("clusters")
        if self.sages["cool_mask"]["colour_max"] is not None:
            have.add("cool_mask")
        return have

    def entries(self, paper: str, *kinds: str) -> list[dict]:
        """Entries of config/figures.yaml that this run can make; kinds are `figures` and `tables` (both by default)."""
        have = self.available(paper)
        listed = [e for kind in kinds or ("figures", "tables") for e in self._figures[kind]]
        return [e for e in listed if e["paper"] == paper and set(e.get("needs", [])) <= have]

    def figures(self, paper: str, kind: str) -> list[tuple[str, str]]:
        """(file stem, ending) of every figure or table of a paper that this run can make; `kind` is figures or tables."""
        endings = {"figures": ("pdf", "png", "csv"), "tables": ("tex", "csv")}[kind]
        return [(entry["id"], ending) for entry in self.entries(paper, kind) for ending in endings]

    def study_figures(self, paper: str) -> list[str]:
        """Ids of the figures of a paper that the target `studies` makes."""
        have = self.available(paper) | {STUDY}
        wanted = [e for e in self._figures["figures"] if e["paper"] == paper and STUDY in e.get("needs", [])]
        return [e["id"] for e in wanted if set(e["needs"]) <= have]

    def figure(self, paper: str, name: str) -> dict:
        """The entry of config/figures.yaml for one figure or table."""
        for entry in [*self._figures["figures"], *self._figures["tables"]]:
            if entry["paper"] == paper and entry["id"] == name:
                return entry
        raise InputError("config/figures.yaml", f"has no entry `{name}` of paper `{paper}`")

    def missing_figures(self) -> list[str]:
        """Figures that the papers have and this run cannot make, with what is lacking."""
        entries = [*self._figures["figures"], *self._figures["tables"]]
        have = {paper: self.available(paper) for paper in self.config["papers"]}
        shown = [e for e in entries if e["paper"] in have and not ON_REQUEST & set(e.get("needs", []))]
        lacking = [(e["id"], sorted(set(e.get("needs", [])) - have[e["paper"]])) for e in shown]
        return [f"{name} (needs {', '.join(needs)})" for name, needs in lacking if needs]
