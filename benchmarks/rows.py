"""What a benchmark finds: one row a comparison with a peer, and what it is worth."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

MISSING, DISAGREES, FAILED, BELOW, FLOOR, AIM, PLAIN = (
    "not available", "DISAGREES", "FAILED", "below the floor", "floor met", "aim met", "-"
)  # fmt: skip
#: verdicts that end a run with an error
BAD = (DISAGREES, FAILED, BELOW)


@dataclass(frozen=True)
class Measured:
    """One timed call: its result, wall-clock and processor seconds, and the process' peak memory so far (MB)."""

    result: object
    wall: float
    cpu: float
    peak_mb: float = 0.0


@dataclass(frozen=True)
class Agreement:
    """Whether two results agree, and how that was judged; `agrees` None: not judged here, the text says where."""

    agrees: bool | None
    text: str


@dataclass
class Row:
    """One comparison.

    Attributes
    ----------
    benchmark, case : str
        Name of the benchmark; what was computed, with its size.
    ours, peer : str
        The two contestants.
    unit : str
        Of the two times: seconds of what, for how much.
    ours_time, peer_time : float or None
        Medians.
    ratios : list of float
        Peer over ours, one a round.
    agreement : Agreement
    floor, aim : float or None
        Smallest ratio that is accepted; the ratio aimed at.
    note : str
        What else a reader should know; for a peer that is not available, why.
    sizes : dict
        Numbers of rows, trees, networks ..., for the JSON file.
    """

    benchmark: str
    case: str
    ours: str
    peer: str
    unit: str = "s"
    ours_time: float | None = None
    peer_time: float | None = None
    ratios: list[float] = field(default_factory=list)
    agreement: Agreement = Agreement(None, "")
    floor: float | None = None
    aim: float | None = None
    note: str = ""
    sizes: dict = field(default_factory=dict)
    failed: bool = False

    @property
    def ratio(self) -> float | None:
        """Median of the paired ratios; None without one."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def verdict(self) -> str:
        """What the row is worth; a disagreement counts more than any speed."""
        if self.failed:
            return FAILED
        if self.agreement.agrees is False:
            return DISAGREES
        if self.ratio is None:
            return MISSING
        if self.floor is not None and self.ratio < self.floor:
            return BELOW
        if self.aim is not None and self.ratio >= self.aim:
            return AIM
        return PLAIN if self.floor is None else FLOOR


def compare(
    benchmark: str, case: str, names: tuple[str, str], ours: Sequence[Measured], peer: Sequence[Measured], agreement: Agreement,
    clock: str = "wall", unit: str = "s, wall clock", work: tuple[float, float] = (1.0, 1.0), **more,
) -> Row:  # fmt: skip
    """The row of two contestants that took turns.

    Parameters
    ----------
    names : (str, str)
        Ours, the peer.
    ours, peer : sequence of Measured
        A round each, the k-th of both measured one after the other.
    clock : str
        "wall" or "cpu".
    unit : str
        Of the times shown.
    work : (float, float)
        How much of the unit's work a call of ours, of the peer's, has done (epochs x networks, say).
    more
        Other fields of `Row`.
    """
    mine = [getattr(m, clock) / work[0] for m in ours]
    theirs = [getattr(m, clock) / work[1] for m in peer]
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    return Row(
        benchmark, case, *names, unit=unit, ours_time=statistics.median(mine), peer_time=statistics.median(theirs), ratios=ratios,
        agreement=agreement, **more,
    )  # fmt: skip


def missing(benchmark: str, case: str, ours: str, peer: str, reason: str, **more) -> Row:
    """The row of a comparison that could not be made."""
    return Row(benchmark, case, ours, peer, note=reason, **more)
