"""Arrays on disk as .npz: nothing is executed on reading, the same arrays give the same bytes, damage is named."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from .errors import InputError
from .io import atomic


def save_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as .npz (numpy dates every member 1980, so equal arrays are equal files)."""
    with atomic(path) as part, open(part, "wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)


class LazyArrays(Mapping):
    """The members of an .npz file, each read when it is asked for; says which file and member is damaged or absent."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            self._file = np.load(self.path, allow_pickle=False)
        except FileNotFoundError as error:
            raise InputError(path, "does not exist", "Run the stage that makes it") from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(path, f"is not a readable .npz file ({error})", "Delete it and run again") from error

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self._file[name]
        except KeyError as error:
            raise InputError(f"{self.path}, array {name}", "is absent", "Delete the file and train again") from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path}, array {name}", f"is damaged ({error})", "Delete the file and train again") from error

    def __contains__(self, name: object) -> bool:
        return name in self._file

    def __iter__(self) -> Iterator[str]:
        return iter(self._file)

    def __len__(self) -> int:
        return len(self._file)


def load_arrays(path: str | Path) -> LazyArrays:
    """Open an .npz file; nothing in it is executed (no pickle)."""
    return LazyArrays(path)
