"""The demo tables: same seed same table, the documented truth can be recovered, and nothing gives the answer away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import Column
from core.data.demos import DEMOS, Demo, demo_by_key, engine_life, hydraulic_pump, injection_moulding, inspection
from core.errors import SettingProblem
from core.training.request import TrainRequest

each_demo = pytest.mark.parametrize("demo", DEMOS, ids=lambda d: d.key)


@each_demo
def test_same_seed_gives_the_same_table_and_another_seed_another(demo: Demo) -> None:
    first, again, other = demo.make(3), demo.make(3), demo.make(4)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


@each_demo
def test_columns_describe_the_table(demo: Demo) -> None:
    table = demo.make(7)
    assert [c.name for c in demo.columns] == list(table.columns)
    assert 10_000 * 0.5 <= len(table) <= 25_000
    for column in demo.columns:
        cells = table[column.name]
        if column.kind == "number":
            assert cells.dtype == np.float64
        elif column.kind == "time":
            assert cells.dtype == "datetime64[us]" and cells.is_monotonic_increasing and cells.is_unique
        else:
            assert not cells.isna().any() and all(type(v) is str for v in cells)


@each_demo
def test_request_names_columns_with_that_role(demo: Demo) -> None:
    request = TrainRequest.read({"dataset_id": "d", "dataset_version": 1, **demo.request})
    roles = {c.name: c.role for c in demo.columns}
    assert request.task == demo.task
    for role in ("target", "time", "group"):
        named = getattr(request, role)
        assert [n for n, r in roles.items() if r == role] == ([named] if named else [])
    assert set(request.ignore) == {n for n, r in roles.items() if r == "ignore"}


@each_demo
def test_units_and_specification_limits_are_ordered(demo: Demo) -> None:
    def ordered(column: Column) -> bool:
        given = [v for v in (column.lower_limit, column.nominal, column.upper_limit) if v is not None]
        return given == sorted(given)

    assert all(ordered(c) for c in demo.columns)
    assert sum(bool(c.unit) for c in demo.columns) >= 5


@each_demo
def test_a_few_cells_are_lost_but_no_column_is(demo: Demo) -> None:
    missing = demo.make(7).isna().mean()
    assert missing.sum() > 0 and missing.max() < 0.05


@each_demo
def test_no_sensor_alone_gives_the_answer_away(demo: Demo) -> None:
    table = demo.make(7)
    if demo.task == "rul":
        truth = table.groupby("engine")["cycle"].transform("max") - table["cycle"]
    else:
        target = table[str(demo.request["target"])]
        truth = target if target.dtype == np.float64 else (target == "fail").astype(float)
    sensors = [c.name for c in demo.columns if c.role == "sensor" and c.kind == "number"]
    assert table[sensors].corrwith(truth).abs().max() < 0.93


def test_unknown_demo_lists_the_keys() -> None:
    with pytest.raises(SettingProblem, match="Did you mean 'inspection'"):
        demo_by_key("inspektion")


def test_tait_volume_at_reference_points() -> None:
    volume = injection_moulding.specific_volume
    assert volume(np.array([100.0]), np.array([0.0]))[0] == pytest.approx(0.9829)
    # 150 °C, 40 MPa by hand: (0.9829 + 6.7e-4·50)·(1 − 0.0894·ln(1 + 40 / (190·e^−0.225)))
    assert volume(np.array([150.0]), np.array([40.0]))[0] == pytest.approx(0.99514, abs=1e-5)


def test_width_is_the_model_plus_gage_noise() -> None:
    table, truth = injection_moulding.simulate(7)
    recomputed = injection_moulding.true_width(table, truth["viscosity"].to_numpy())
    residual = table["width_A"].to_numpy() - recomputed
    np.testing.assert_allclose(recomputed, truth["width_mm"])
    assert abs(residual.mean()) < 4 * injection_moulding.GAGE_SD_MM / np.sqrt(len(table))
    assert residual.std() == pytest.approx(injection_moulding.GAGE_SD_MM, rel=0.04)
    assert truth["width_mm"].std() > 2.5 * injection_moulding.GAGE_SD_MM


def test_more_hold_pressure_gives_a_wider_part() -> None:
    table, truth = injection_moulding.simulate(7)
    packed = table.assign(hold_pressure=table["hold_pressure"] + 50.0)
    gain = injection_moulding.true_width(packed, truth["viscosity"].to_numpy()) - truth["width_mm"]
    assert (gain > 0).all() and 0.005 < gain.median() < 0.05


def test_healthy_pump_follows_its_equations_and_each_fault_breaks_one() -> None:
    table = hydraulic_pump.make(7)
    flow = table["flow"] - hydraulic_pump.expected_flow(table["discharge_pressure"], table["oil_temp"])
    current = table["motor_current"] - hydraulic_pump.expected_current(table["discharge_pressure"], table["flow"])
    healthy = table.index < hydraulic_pump.NORMAL_ROWS
    assert flow[healthy].std() < 0.5 and abs(flow[healthy].mean()) < 0.02
    assert current[healthy].std() < 0.6 and abs(current[healthy].mean()) < 0.02

    def during(name: str) -> slice:
        start, stop = hydraulic_pump.FAULTS[name]
        return slice(start + (stop - start) // 2, stop)

    assert flow[during("seal_leak")].median() < -3
    assert table["vibration"][during("cavitation")].median() > table["vibration"][healthy].quantile(0.999)
    assert table["discharge_pressure"][during("stuck_sensor")].nunique() == 1
    assert abs(current[during("stuck_sensor")].median()) > 5 * current[healthy].std()


def test_pump_faults_lie_behind_the_normal_rows_and_are_labelled() -> None:
    table = hydraulic_pump.make(7)
    first = int(hydraulic_pump.DEMO.request["split"]["first"])
    assert table["fault"][: hydraulic_pump.NORMAL_ROWS].sum() == 0 and first < hydraulic_pump.NORMAL_ROWS
    assert table["fault"].sum() == sum(stop - start for start, stop in hydraulic_pump.FAULTS.values())
    assert set(table["fault_name"]) == {"healthy", *hydraulic_pump.FAULTS}
    assert (table["fault"].eq(1) == table["fault_name"].ne("healthy")).all()


def test_engine_loss_reaches_one_at_the_end_of_life() -> None:
    assert engine_life.loss(np.array([200.0]), 200, 0.05, 1.1)[0] == pytest.approx(1.0)
    assert engine_life.loss(np.array([0.0]), 200, 0.05, 1.1)[0] == pytest.approx(0.05)
    assert (np.diff(engine_life.loss(np.arange(1.0, 201.0), 200, 0.0, 1.0)) > 0).all()


def test_fleet_has_eighty_engines_of_documented_lives_without_gaps() -> None:
    table = engine_life.make(7)
    lives = table.groupby("engine")["cycle"].agg(["count", "max"])
    assert len(lives) == 80 and lives["max"].between(130, 300).all()
    assert (lives["count"] == lives["max"]).all()


def test_life_falls_with_the_sixth_power_of_thrust() -> None:
    table = engine_life.make(7).groupby("engine").agg(life=("cycle", "max"), thrust=("takeoff_thrust", "mean"))
    inside = table[table["life"].between(131, 299)]
    slope, _ = np.polyfit(np.log(inside["thrust"]), np.log(inside["life"]), 1)
    assert engine_life.typical_life(92.0) == 198.0
    assert slope == pytest.approx(-6.0, abs=1.0)


def test_sensors_answer_to_wear_with_the_documented_sign() -> None:
    table = engine_life.make(7)
    left = table.groupby("engine")["cycle"].transform("max") - table["cycle"]
    for name, (_, _, by_efficiency, by_flow, sd, _) in engine_life.SENSORS.items():
        change = table[name][left < 3].mean() - table[name][left > 120].mean()
        expected = by_efficiency + by_flow
        assert np.sign(change) == np.sign(expected) if expected else abs(change) < sd


def test_inspection_defects_are_rare_and_follow_the_leak() -> None:
    table, truth = inspection.simulate(7)
    fails = table["leak_test"] == "fail"
    assert 0.02 < fails.mean() < 0.045
    assert 0.01 < fails[int(0.8 * len(fails)) :].mean() < 0.06
    assert fails[truth["leak"] > 2 * inspection.LEAK_LIMIT].mean() > 0.9
    assert fails[truth["leak"] < 0.25 * inspection.LEAK_LIMIT].mean() < 0.001
    by_supplier = fails.groupby(table["supplier"]).mean()
    assert by_supplier["Kyokko"] > 2 * by_supplier["Norda"]


def test_leak_rate_by_hand() -> None:
    compression, warm = np.array([0.20, 0.2155]), np.array([22.0, 22.0])
    leak = inspection.leak_rate(compression, warm, np.array([False, False]))
    assert leak[0] / leak[1] == pytest.approx(np.e)
