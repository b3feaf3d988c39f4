"""The automatic choice on a table with free text: the bag of words is tried, may be averaged with others, and is the baseline."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from core.jobs import auto
from core.jobs.ensembles import write_choice
from core.serving import load_bundle
from tests.core.jobs.test_auto import Ground
from tests.remarks import english


def table(n: int = 180) -> pd.DataFrame:
    """Half of the value is said by the remark, half by a number; below 200 rows no network is tried."""
    found = english(n, seed=2)
    is_fault = found.pop("class") == "fault"
    return found.assign(y=np.round(np.where(is_fault, 2.0, 8.0) + 3 * np.abs(found["pressure"]), 4))


def test_an_average_of_families_with_and_without_text_is_that_of_their_own_predictions(tmp_path: Path) -> None:
    ground = Ground(tmp_path, table(), "regression")
    found = ground.run()
    assert found is not None
    by_name = {c["model"]: c for c in found.choice["candidates"]}
    assert by_name["bag_of_words"]["figure"] < by_name["ridge"]["figure"]
    made = auto._Auto(SimpleNamespace(folder=tmp_path / "job"), ground.resolved, ground.prepared)  # type: ignore[arg-type]
    by_model = {t.model: t for t in (made.kept.read(i) for i in range(len(made.candidates))) if t is not None}
    members = [(by_model["gradient_boosting"], 0.25), (by_model["bag_of_words"], 0.75)]
    write_choice(made.ground, made.kept, members, tmp_path / "both", {"chosen": "ensemble"})
    opened = load_bundle(tmp_path / "both")
    assert [(m.model, m.skipped > 0) for m in opened.manifest.members] == [("bag_of_words", False), ("gradient_boosting", True)]
    given = table()
    singles = [load_bundle(made.kept.of(by_model[k].number) / "bundle") for k in ("bag_of_words", "gradient_boosting")]
    expected = [b.score(given)["prediction"].to_numpy() for b in singles]
    np.testing.assert_allclose(opened.score(given)["prediction"].to_numpy(), 0.75 * expected[0] + 0.25 * expected[1], rtol=1e-9)
    assert singles[1].pipeline.plan.text is None, "what reads no text needs no remark to score"
    without = given.drop(columns="Remark")
    np.testing.assert_array_equal(singles[1].score(without)["prediction"], expected[1])

    shallow = [(by_model["gradient_boosting"], 0.5), (by_model["ridge"], 0.5)]
    write_choice(made.ground, made.kept, shallow, tmp_path / "plain", {"chosen": "ensemble"})
    plain = load_bundle(tmp_path / "plain")
    assert plain.pipeline.plan.text is None and all(m.skipped == 0 for m in plain.manifest.members)
    assert np.isfinite(plain.score(without)["prediction"]).all()


def test_on_remarks_alone_other_families_are_left_out_with_the_reason(tmp_path: Path) -> None:
    ground = Ground(tmp_path, english(180).rename(columns={"class": "y"})[["Remark", "y"]], "classification")
    found = ground.run()
    assert found is not None and found.choice["chosen"] == "bag_of_words"
    why = {c["model"]: c for c in found.choice["candidates"]}
    assert why["logistic"]["state"] == "skipped"
    assert "Beside the text" in str(why["random_forest"]["why"])
