"""How large must a fault be for a run to find it? Faults of known size in the user's own held-out normal rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.anomalies.alarm_logic import AlarmLogic
from core.anomalies.detectability import Detectability, detectability, first_alarms
from core.anomalies.seeding import SIZED, FaultKind
from core.anomalies.thresholds import Threshold
from core.data.split import PART_NAMES
from core.errors import SettingProblem, unknown_choice
from core.messages import msg, msg_n
from core.serving import load_bundle
from core.watching import Watch, unwatched
from core.workflows.results import Results
from core.workflows.seeding_pieces import Fault, NormalValues, Pieces, cut_pieces, normal_values, usable_rows
from core.workflows.seeding_records import FORMAT, SeededFault, SeededView, SeedSettings
from core.workflows.workspace import Workspace

KEPT = 12
NAMED = 4
SIGMAS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
BRACKETED = 0.8
MOST_HALVED, MOST_DOUBLED = 6, 3
"""Further sizes that are tried unasked, below the smallest and above the largest: to a 128th of a standard deviation, and to 64."""
LAGS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SMALL_CELLS = 15_000_000
"""Cells of windows that are scored at once, in two or three seconds; more go into a job."""


def sensors_of(results: Results) -> tuple[str, ...]:
    """The number columns of the table that the run's model reads, the forecast column first."""
    plan = results.manifest.pipeline["features"]["features"]
    read = {str(row[0]) for row in plan}
    recipe = {str(c["name"]) for c in results.manifest.pipeline["recipe"]["columns"]}
    own = results.manifest.target_column if results.task == "forecast" else None
    names = [c.name for c in results.dataset.columns if c.kind == "number" and c.role == "sensor"]
    found = [name for name in names if name in read or (name in recipe and results.manifest.pipeline["recipe"]["steps"])]
    return (own, *(name for name in found if name != own)) if own is not None else tuple(found)


def is_large_seeding(results: Results, settings: SeedSettings) -> bool:
    """Whether a request scores so many cells that it belongs into a job."""
    plan = results.manifest.pipeline
    width, features = int(plan["width"]), max(1, len(plan["features"]["features"]))
    length = _length(results, settings)
    sizes = len(settings.sizes) or len(SIGMAS) + MOST_HALVED
    n_sets = 1 if settings.together else max(1, len(settings.sensors))
    cases = n_sets * sum(sizes if kind in SIZED else 1 for kind in settings.kinds)
    return (cases + 1) * settings.stretches * length * width * features > SMALL_CELLS


def seed_faults(ws: Workspace, results: Results, settings: SeedSettings | None = None, watch: Watch = unwatched) -> SeededView:
    """Put each fault into copies of normal stretches, score them by the run's bundle, and keep the answer with the run.

    Raises:
        SettingProblem: the run has no decision limit; a sensor that it does not read; a size that is not above 0.
        NotEnoughData: too few normal stretches.
    """
    given = SeedSettings() if settings is None else settings
    kept = kept_seeding(ws, results, given)
    if kept is not None:
        return kept
    limit, logic = _decision(results, given), AlarmLogic(given.k, given.n)
    chosen = _sensors(results, given)
    sets = (chosen,) if given.together else tuple((sensor,) for sensor in chosen)
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    n_said = len(
        ws.store.list_verdicts(results.run.id)
    )  # before the rows are drawn: one that comes meanwhile makes the answer old
    usable = usable_rows(ws, results, given.part)
    length = _length(results, given)
    pieces = cut_pieces(
        results, bundle, usable, length=length, n=given.stretches, look_back=given.n - 1, seed=given.seed,
        lag=round(max(_sizes("lag", (0.0,), given))) if "lag" in given.kinds else 0,
    )  # fmt: skip
    clean = pieces.scores(pieces.table, logic)
    faults, done = [], 0
    for sensors in sets:
        normal = normal_values(results, usable, sensors)
        factors = _factors(sensors, normal, given)
        for kind in given.kinds:
            sizes = _sizes(kind, normal.sigmas, given)
            judged = _judged(kind, length, pieces, logic)
            quiet = first_alarms(clean[:, : logic.n - 1 + judged], logic, limit)
            alarms: dict[float, np.ndarray[Any, Any]] = {}
            waiting = list(sizes)
            while waiting:
                size = waiting.pop(0)
                watch((done + len(alarms) / (len(alarms) + len(waiting) + 1)) / (len(sets) * len(given.kinds)))
                each = tuple(size if kind == "lag" else size * factor for factor in factors)
                table = pieces.seeded(Fault(kind, sensors, each, given.direction), given.seed, normal.values, normal.block)
                alarms[size] = first_alarms(pieces.scores(table, logic)[:, : logic.n - 1 + judged], logic, limit)
                if not waiting and kind in SIZED and kind != "lag" and not given.sizes:
                    waiting = _further(alarms, quiet, len(alarms) - len(sizes))
            tried = sorted(alarms)
            found = detectability(np.array(tried) if kind in SIZED else None, np.array([alarms[size] for size in tried]), quiet)
            faults.append(_fault(results, sensors, kind, normal, judged, found, given))
            done += 1
    view = _view(results, given, tuple(faults), pieces, clean, limit, logic, n_said)
    _keep(ws, view)
    return view


def kept_seeding(ws: Workspace, results: Results, settings: SeedSettings) -> SeededView | None:
    """The answer to the same request on the same bundle, if it was kept."""
    path = ws.store.path(results.run.id, "run", f"{request_key(settings)}.json")
    view = _read(path)
    if view is None or view.bundle_sha256 != _fingerprint(results) or _is_before_verdicts(ws, view):
        return None
    return view


def newest_seeding(ws: Workspace, results: Results) -> SeededView | None:
    """The answer that was kept last and belongs to the bundle as it is, for the report."""
    folder = ws.store.path(results.run.id, "run")
    for path in sorted(folder.glob("seeded-*.json"), key=lambda p: p.stat().st_mtime, reverse=True):
        view = _read(path)
        if view is not None and view.bundle_sha256 == _fingerprint(results) and not _is_before_verdicts(ws, view):
            return view
    return None


def _is_before_verdicts(ws: Workspace, view: SeededView) -> bool:
    """Whether a verdict came after the rows of an answer were drawn: what counts as normal may be other rows now. Verdicts are only appended."""
    return len(ws.store.list_verdicts(view.run_id)) != view.n_said


def _decision(results: Results, given: SeedSettings) -> float:
    if results.task not in ("anomaly", "forecast") or results.manifest.threshold is None:
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("Faults are seeded where a run raises alarms: anomaly and forecast."),
            msg("Open another run."),
        )
    return Threshold.from_json(results.manifest.threshold).value if given.threshold is None else given.threshold


def _sensors(results: Results, given: SeedSettings) -> tuple[str, ...]:
    known = sensors_of(results)
    for name in given.sensors:
        if name not in known:
            raise unknown_choice("sensor", name, known)
    if not known:
        raise SettingProblem(
            msg("The run '{run}' reads no number column of the table.", run=results.run.name),
            msg("Faults are put into sensors that are numbers."),
            msg("Open another run."),
        )
    if any(size <= 0 for size in given.sizes):
        raise SettingProblem(
            msg("A size is {value}.", value=min(given.sizes)), msg("Expected sizes above 0."), msg("Change 'sizes' and try again.")
        )  # fmt: skip
    if given.sensors:
        return tuple(dict.fromkeys(given.sensors))
    return known if given.together else known[:1]


def _scale(n_sensors: int, given: SeedSettings) -> Literal["unit", "sigma"]:
    """What sizes are in: as it was said; for several sensors at once without sizes their standard deviations."""
    return "sigma" if n_sensors > 1 and not given.sizes else given.scale


def _factors(sensors: tuple[str, ...], normal: NormalValues, given: SeedSettings) -> tuple[float, ...]:
    """What a size is multiplied with in each sensor.

    Raises:
        SettingProblem: sizes in standard deviations, and a sensor that has none.
    """
    if _scale(len(sensors), given) == "unit":
        return (1.0,) * len(sensors)
    still = [sensor for sensor, sigma in zip(sensors, normal.sigmas, strict=True) if not sigma > 0]
    if still:
        raise SettingProblem(
            msg("'{sensor}' stands still in the training part.", sensor=still[0]),
            msg("Sizes in standard deviations need sensors that vary."),
            msg("Give sizes in units, or leave this sensor out."),
        )
    return normal.sigmas


def _sizes(kind: FaultKind, sigmas: tuple[float, ...], given: SeedSettings) -> Sequence[float]:
    if kind not in SIZED:
        return (0.0,)
    if kind == "lag":
        return sorted({float(max(1, round(size))) for size in given.sizes}) or LAGS
    if given.sizes or _scale(len(sigmas), given) == "sigma":
        return sorted(set(given.sizes)) or SIGMAS
    return tuple(float(f"{factor * (sigmas[0] or 1.0):.3g}") for factor in SIGMAS)


def _further(alarms: Mapping[float, np.ndarray[Any, Any]], quiet: np.ndarray[Any, Any], n_more: int) -> list[float]:
    """The next size where the one that is found 80 % of the time does not lie between two yet; none at the bound or where nothing can be told.

    Args:
        alarms: Size → (s,) rows to the first alarm of each stretch, infinite where there was none.
        quiet: (s,) the same without a fault.
        n_more: Sizes that were tried unasked already.
    """
    own = ~np.isfinite(quiet)
    if not own.any():
        return []
    shares = {size: float(np.isfinite(found[own]).mean()) for size, found in alarms.items()}
    if shares[min(shares)] >= BRACKETED and n_more < MOST_HALVED:
        return [float(f"{min(shares) / 2:.3g}")]
    if max(shares.values()) < BRACKETED and n_more < MOST_DOUBLED:
        return [float(f"{2 * max(shares):.3g}")]
    return []


def _fault(
    results: Results,
    sensors: tuple[str, ...],
    kind: FaultKind,
    normal: NormalValues,
    judged: int,
    found: Detectability,
    given: SeedSettings,
) -> SeededFault:
    """The record of a fault; several sensors are named together, from the fifth on only counted."""
    units = {results.dataset.column(sensor).unit for sensor in sensors}
    names = " + ".join(sensors if len(sensors) <= NAMED else (*sensors[: NAMED - 1], f"… ({len(sensors)})"))
    return SeededFault(
        names,
        units.pop() if len(units) == 1 else "",
        kind,
        normal.sigmas[0] if len(sensors) == 1 else 0.0,
        judged,
        found,
        sensors if len(sensors) > 1 else (),
        _scale(len(sensors), given),
    )


def _length(results: Results, given: SeedSettings) -> int:
    return max(30, int(results.manifest.pipeline["width"])) if given.length is None else given.length


def _judged(kind: FaultKind, length: int, pieces: Pieces, logic: AlarmLogic) -> int:
    """Rows in which an alarm counts: those of the fault; after a spike of one row as long as a window and the logic still hold it."""
    return length if kind != "spike" else min(length, pieces.pipeline.width + logic.n - 1)


def _view(
    results: Results,
    given: SeedSettings,
    faults: tuple[SeededFault, ...],
    pieces: Pieces,
    clean: np.ndarray[Any, Any],
    limit: float,
    logic: AlarmLogic,
    n_said: int,
) -> SeededView:
    own = clean[:, logic.n - 1 :]
    known = np.isfinite(own)
    notes = list(pieces.notes)
    if pieces.n < given.stretches:
        notes.append(
            msg_n(
                "{n} stretch fits into the normal rows; {asked} were asked for.",
                "{n} stretches fit into the normal rows; {asked} were asked for.",
                pieces.n,
                asked=given.stretches,
            )
        )
    if (given.k, given.n) != (1, 1):
        notes.append(msg("The decision that is tested: {k} of {n} scores above the limit.", k=given.k, n=given.n))
    return SeededView(
        run_id=results.run.id,
        settings=given,
        faults=faults,
        parts=tuple(PART_NAMES[part] for part in pieces.parts),
        n_stretches=pieces.n,
        length=pieces.length,
        limit=limit,
        alarm_rate=float((own[known] > limit).mean()) if known.any() else 0.0,
        n_alarmed=int(np.isfinite(first_alarms(clean, logic, limit)).sum()),
        bundle_sha256=_fingerprint(results),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        notes=tuple(notes),
        n_said=n_said,
    )


def _fingerprint(results: Results) -> str:
    """What a kept answer belongs to: the manifest with the hashes of all files of the bundle."""
    return hashlib.sha256(results.manifest.model_dump_json().encode()).hexdigest()


def request_key(settings: SeedSettings) -> str:
    """A word for a request: equal for equal settings."""
    asked = json.dumps({"format": FORMAT, **settings.model_dump(mode="json")}, sort_keys=True)
    return f"seeded-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def _read(path: Path) -> SeededView | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return SeededView.from_json(stored) if stored.get("format") == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError):  # not there, or of another version: it is computed again
        return None


def _keep(ws: Workspace, view: SeededView) -> None:
    path = ws.store.path(view.run_id, "run", f"{request_key(view.settings)}.json")
    ws.store.write_bytes(path, json.dumps(view.to_json(), ensure_ascii=False).encode())
    old = sorted(path.parent.glob("seeded-*.json"), key=lambda p: p.stat().st_mtime, reverse=True)[KEPT:]
    for one in old:
        ws.store.discard(one)
