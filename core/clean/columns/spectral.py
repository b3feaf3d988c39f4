"""What a vibration signal does in the last rows up to and including each row: RMS, kurtosis, crest factor, peak
frequency, and the power in frequency bands.

With x the window less its mean and n its rows:  RMS = √(Σx²/n), crest factor = max|x| ÷ RMS, kurtosis = n Σx⁴ ÷ (Σx²)²
(3 for normal noise, not the excess). Powers come from the one-sided periodogram under a Hann window (density scaling,
as `scipy.signal.periodogram`): band power = Σ density · Δf over low ≤ f < high, the last band with its upper end.
Sources: Welch (1967), IEEE Trans. Audio Electroacoust. 15(2); ISO 13373-2:2016 (RMS, crest factor, kurtosis of vibration).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from core.clean.cells import applied, numbers, with_cells
from core.clean.columns.ordering import clock_of, clock_units, gathered, like, ordered, start_note, windows_of_rows
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Floats = NDArray[np.float64]
Measure = Literal["rms", "kurtosis", "crest_factor", "peak_frequency", "band_power"]
Frequency = Annotated[float, Field(ge=0)]


class SpectralSettings(Settings):
    """Which figures of which window, and how fast the signal was sampled."""

    width: int = setting(
        256,
        title="Window width",
        help="Rows a window; more rows part frequencies finer.",
        unit="rows",
        ge=8,
        le=65_536,
        expert=False,
    )
    measures: tuple[Measure, ...] = setting(
        ("rms", "kurtosis", "crest_factor", "peak_frequency", "band_power"),
        title="Figures",
        help="One new column for each; for the band power one a band.",
        expert=False,
        min_length=1,
    )
    rate: float | None = setting(
        None,
        title="Sampling rate",
        help="Rows a second. Empty: from the usual step of the time column in the training part.",
        unit="Hz",
        gt=0,
        expert=False,
    )
    n_bands: int = setting(4, title="Bands", help="Bands of equal width from 0 to half the sampling rate.", ge=1, le=64)
    edges: tuple[Frequency, ...] = setting(
        (), title="Band edges", help="Rising frequencies that part the bands, instead of equal ones.", unit="Hz", max_length=65
    )
    every: int = setting(
        1,
        title="Every so many rows",
        help="Figures are made anew every so many rows and hold until then.",
        unit="rows",
        ge=1,
        le=65_536,
    )


@dataclass(frozen=True, slots=True)
class FittedSpectral:
    """Adds the columns in `made`: (source, measure, band or −1, what the new column is). `rate` is in Hz."""

    made: tuple[tuple[str, Measure, int, Column], ...]
    keys: RowKeys
    width: int
    rate: float
    edges: tuple[float, ...]
    every: int
    key: str = "spectral"
    uses_neighbours: bool = True

    @property
    def reach_rows(self) -> int:
        return self.width + self.every

    @property
    def phase(self) -> int:
        return self.every

    def apply(self, table: pd.DataFrame) -> Applied:
        rows = ordered(table, self.keys)
        windows = windows_of_rows(rows, self.width)
        # The figures of the last place that was computed: a stretch of `every` places starts with the first full window.
        late = np.maximum(rows.since_start - (self.width - 1), 0)
        source_place = np.arange(len(rows.order)) - late % self.every
        wanted = windows.full & (late % self.every == 0)
        cells: dict[str, Floats | pd.Series] = {}
        broken: dict[str, NDArray[np.bool_]] = {}
        for source in dict.fromkeys(name for name, *_ in self.made):
            values = numbers(table, source)[rows.order]
            mine = [(measure, band, column) for name, measure, band, column in self.made if name == source]
            found = np.full((len(values), len(mine)), np.nan)
            for places, index, _ in gathered(windows, wanted):
                parts = figures(values[index], self.rate, self.edges)
                for i, (measure, band, _) in enumerate(mine):
                    found[places, i] = parts[measure] if band < 0 else parts[measure][:, band]
            held = np.where(windows.full[:, None], found[source_place], np.nan)
            gaps = ~_whole(values, self.width) & windows.full
            broken |= {source: rows.back(gaps)} if gaps.any() else {}
            cells |= {column.name: rows.back(held[:, i]) for i, (_, _, column) in enumerate(mine)}
        early = rows.back(~windows.full)
        notes = start_note(int(early.sum())) if self.made else ()
        gap_notes = _gap_notes({source: int(mask.sum()) for source, mask in broken.items()})
        columns = tuple(column for *_, column in self.made)
        change = Change(added_columns=tuple(c.name for c in columns), notes=(*notes, *gap_notes), columns=columns)
        counted = (*((note, early) for note in notes), *zip(gap_notes, broken.values(), strict=True))
        return replace(applied(with_cells(table, cells), change), row_notes=counted)

    def state(self) -> dict[str, object]:
        made: dict[str, list[object]] = {}
        for source, measure, band, column in self.made:
            made.setdefault(source, []).append([measure, band, asdict(column)])
        facts = {"width": self.width, "rate": self.rate, "edges": list(self.edges), "every": self.every}
        return {"columns": made, "group": self.keys.group, "time": self.keys.time, **facts}


def figures(windows: Floats, rate: float, edges: tuple[float, ...]) -> dict[str, Floats]:
    """The measures of windows (m, width) by name: (m,) each, `band_power` (m, n_bands).

    A window with an empty or infinite cell has NaN throughout; a constant one has RMS and powers 0 and no kurtosis, crest
    factor or peak frequency (NaN).

    Example:
        >>> wave = np.sin(2 * np.pi * 8 * np.arange(64) / 64)[None, :]
        >>> found = figures(wave, 64.0, (0.0, 16.0, 32.0))
        >>> float(found["peak_frequency"][0]), round(float(found["rms"][0]) ** 2, 6)
        (8.0, 0.5)
    """
    n = windows.shape[1]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        x = windows - windows.mean(axis=1, keepdims=True)
        power = (x**2).mean(axis=1)
        # A mean has its rounding; below it a spread is none. Relative, so that units do not matter.
        still = power <= (8 * np.finfo(np.float64).eps * np.abs(windows).max(axis=1)) ** 2
        power = np.where(still, 0.0, power)
        rms = np.sqrt(power)
        taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
        density = np.abs(np.fft.rfft(x * taper, axis=1)) ** 2 / (rate * (taper**2).sum())
        density[:, 1 : (n + 1) // 2] *= 2
        density = np.where(still[:, None], 0.0, density)
        frequency = np.asarray(np.fft.rfftfreq(n, 1 / rate), dtype=np.float64)
        peak = frequency[1:][np.nan_to_num(density[:, 1:], nan=-1.0).argmax(axis=1)]
        found = {
            "rms": rms,
            "kurtosis": np.where(still, np.nan, (x**4).mean(axis=1) / power**2),
            "crest_factor": np.where(still, np.nan, np.abs(x).max(axis=1) / rms),
            "peak_frequency": np.where(still | ~np.isfinite(power), np.nan, peak),
            "band_power": np.stack([density[:, mask].sum(axis=1) for mask in _bands(frequency, edges)], axis=1) * rate / n,
        }
    return {name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}


def _bands(frequency: Floats, edges: tuple[float, ...]) -> list[NDArray[np.bool_]]:
    """Which frequencies belong to each band; the last has its upper end."""
    pairs = list(zip(edges[:-1], edges[1:], strict=True))
    masks = [(frequency >= low) & (frequency < high) for low, high in pairs]
    masks[-1] |= frequency == pairs[-1][1]
    return masks


def _whole(values: Floats, width: int) -> NDArray[np.bool_]:
    """Whether the last `width` places up to each hold numbers only, (n,)."""
    odd = np.cumsum(~np.isfinite(values))
    before = np.concatenate([np.zeros(min(width, len(values)), dtype=odd.dtype), odd[:-width]])
    return np.asarray(odd - before == 0)


def _gap_notes(broken: Mapping[str, int]) -> list[Message]:
    return [
        msg_n(
            "{n} row of '{column}' has an empty cell in its window and stays empty.",
            "{n} rows of '{column}' have an empty cell in their window and stay empty.",
            n,
            column=column,
        )
        for column, n in broken.items()
    ]


@dataclass(frozen=True, slots=True)
class Spectral:
    """Figures of the last rows of a vibration signal, one window a row. The first rows of each group stay empty.

    Applied twice it gives the same columns again. Rows that an earlier step left out close up, as if the signal went on.
    """

    title: Message
    summary: Message
    key: str = "spectral"
    settings: type[Settings] = SpectralSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedSpectral:
        chosen = SpectralSettings.model_validate(settings.model_dump())
        rate = sampling_rate(train.table, keys) if chosen.rate is None else chosen.rate
        edges = _edges(chosen, rate)
        taken = {str(c) for c in train.table.columns}
        made: list[tuple[str, Measure, int, Column]] = []
        for c in columns:
            for measure in dict.fromkeys(chosen.measures):
                bands = range(len(edges) - 1) if measure == "band_power" else (-1,)
                made += [(c.name, measure, b, _column(c, measure, edges, b, taken)) for b in bands]
        return FittedSpectral(tuple(made), RowKeys(keys.group, keys.time), chosen.width, rate, edges, chosen.every)

    def restore(self, state: Mapping[str, object]) -> FittedSpectral:
        stored: Any = state
        made = tuple(
            (source, measure, int(band), Column(**column))
            for source, some in stored["columns"].items()
            for measure, band, column in some
        )
        keys = RowKeys(stored["group"], stored["time"])
        return FittedSpectral(made, keys, stored["width"], stored["rate"], tuple(stored["edges"]), stored["every"])


def _column(source: Column, measure: Measure, edges: tuple[float, ...], band: int, taken: set[str]) -> Column:
    if measure == "band_power":
        name = free_name(f"{source.name}_{edges[band]:g}-{edges[band + 1]:g}Hz", taken)
        return like(source, name, unit=f"({source.unit})²" if source.unit else "")
    name = free_name(f"{source.name}_{measure}", taken)
    return like(source, name, unit={"rms": source.unit, "peak_frequency": "Hz"}.get(measure, ""))


def _edges(chosen: SpectralSettings, rate: float) -> tuple[float, ...]:
    """The edges of the bands in Hz.

    Raises:
        SettingProblem: given ones do not rise, or lie above half the sampling rate.
    """
    half = rate / 2
    if not chosen.edges:
        return tuple(float(e) for e in np.linspace(0.0, half, chosen.n_bands + 1))
    edges = tuple(float(e) for e in chosen.edges)
    if len(edges) < 2 or any(low >= high for low, high in zip(edges[:-1], edges[1:], strict=True)) or edges[-1] > half:
        raise SettingProblem(
            msg("The band edges are {edges} Hz.", edges=", ".join(f"{e:g}" for e in edges)),
            msg("Expected at least two rising frequencies, at most half the sampling rate ({half} Hz).", half=half),
            msg("Correct the band edges or the sampling rate."),
            name="edges",
        )
    return edges


def sampling_rate(table: pd.DataFrame, keys: RowKeys) -> float:
    """Rows a second from the median step of the time column inside groups; a column of numbers counts as seconds.

    Raises:
        SettingProblem: there is no time column, or no step forward in it.
    """
    rows = ordered(table, keys)
    steps = np.diff(clock_of(table, keys.time)[rows.order])[rows.since_start[1:] > 0]
    steps = steps[np.isfinite(steps)]
    step = float(np.median(steps)) / clock_units(table, keys.time) if len(steps) else 0.0
    if step <= 0:
        raise SettingProblem(
            msg("The time column '{column}' shows no usual step.", column=keys.time or ""),
            msg("Frequencies need to know how many rows there are in a second."),
            msg("Set the sampling rate of the step."),
            name="rate",
        )
    return 1.0 / step


SPECTRAL = Spectral(
    msg("Add vibration features"),
    msg("RMS, kurtosis, crest factor, peak frequency and band powers of the last rows, for fast signals such as vibration."),
)
