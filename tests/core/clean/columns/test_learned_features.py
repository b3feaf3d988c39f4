"""Category encodings, text features, components and selection against scikit-learn, and what they must not see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import OrdinalEncoder, StandardScaler, TargetEncoder

from core.clean import Cleaned, FittedRecipe, Recipe, fit_recipe
from core.clean.columns.text import words_of
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem

Fit = Callable[..., FittedRecipe]
Clean = Callable[..., Cleaned]
M, Y = Column("m", "text"), Column("y", "number", "target")


def parts(n: int = 400, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame({"m": rng.choice(list("abcdefgh"), n), "y": rng.normal(5, 1, n)})
    made["y"] += made["m"].map({c: i for i, c in enumerate("abcdefgh")})
    return made


def test_codes_equal_scikit_learn_and_unknown_ones_are_empty(clean: Clean) -> None:
    made = parts()
    made.loc[350:, "m"] = "new"
    done = clean("ordinal_encode", made, [M, Y], n_train=300)
    expected = (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan).fit(made[["m"]][:300]).transform(made[["m"]])
    )
    np.testing.assert_array_equal(done.table["m_code"], expected[:, 0])
    assert str(done.changes[0].notes[0]) == "50 rows of 'm' have a category that the training part does not show."
    assert "m" not in done.table


def test_shares_by_hand(clean: Clean) -> None:
    made = pd.DataFrame({"m": ["a", "a", "b", None, "z"]})
    found = clean("frequency_encode", made, [M], n_train=4).table["m_share"]
    np.testing.assert_array_equal(found, [2 / 3, 2 / 3, 1 / 3, np.nan, 0.0])


def test_the_most_frequent_category_gets_code_zero_when_asked_for(clean: Clean) -> None:
    made = pd.DataFrame({"m": ["b", "b", "a", "c", "c", "c"]})
    assert clean("ordinal_encode", made, [M], {"order": "frequency"}).table["m_code"].tolist() == [1, 1, 2, 0, 0, 0]


def test_rare_and_unknown_categories_come_together(clean: Clean) -> None:
    made = pd.DataFrame({"m": ["a"] * 8 + ["b", "c", None, "new"]})
    done = clean("group_rare", made, [M], {"share": 0.15}, n_train=11)
    assert done.table["m"].fillna("–").tolist() == ["a"] * 8 + ["other", "other", "–", "other"]
    assert done.changes[0].changed_cells == {"m": 3}


@pytest.mark.parametrize("smoothing", [0.0, 20.0])
def test_a_new_row_gets_the_smoothed_mean_of_its_category(clean: Clean, smoothing: float) -> None:
    made = parts()
    made.loc[380:, "m"] = "new"
    found = clean("target_encode", made, [M, Y], {"smoothing": smoothing}, n_train=300).table["m_mean"]
    theirs = TargetEncoder(smooth=smoothing, target_type="continuous").fit(made[["m"]][:300], made["y"][:300])
    np.testing.assert_allclose(found, theirs.transform(made[["m"]])[:, 0], rtol=1e-12)


def test_micci_barreca_by_hand(clean: Clean) -> None:
    made = pd.DataFrame({"m": ["a", "a", "a", "b"], "y": [1.0, 2.0, 3.0, 10.0]})
    found = clean("target_encode", made, [M, Y], {"smoothing": 1.0}).table["m_mean"]
    # mean of all 4; a: (3·2 + 1·4) ÷ 4 = 2.5; b: (1·10 + 1·4) ÷ 2 = 7
    np.testing.assert_allclose(found, [2.5, 2.5, 2.5, 7.0])


def test_a_training_row_never_sees_its_own_target(fit: Fit) -> None:
    """A category with one row tells its row's target exactly, unless it comes from the other folds."""
    made = pd.DataFrame({"m": [f"only {i}" for i in range(100)], "y": np.random.default_rng(0).normal(size=100)})
    recipe = fit("target_encode", made, [M, Y], {"smoothing": 0.0}, n_train=80)
    new = recipe.apply(made).table["m_mean"]
    trained = recipe.apply(made, in_training=True).table["m_mean"]
    np.testing.assert_allclose(new[:80], made["y"][:80])
    assert abs(np.corrcoef(trained[:80], made["y"][:80])[0, 1]) < 0.5
    assert trained[:80].nunique() == 5  # the mean of the other folds, as the category is unknown there
    np.testing.assert_array_equal(trained[80:], new[80:])


def test_a_changed_target_changes_its_own_row_only_through_other_rows(fit: Fit) -> None:
    made = parts(100)
    other = made.copy()
    other.loc[17, "y"] += 1000.0
    first, second = (fit("target_encode", t, [M, Y]).apply(t, in_training=True).table["m_mean"] for t in (made, other))
    assert first[17] == second[17]
    assert (first != second).sum() > 50


def test_groups_are_never_torn_apart(fit: Fit) -> None:
    rng = np.random.default_rng(1)
    made = pd.DataFrame({"lot": np.repeat(np.arange(20), 10).astype(str), "y": np.repeat(rng.normal(size=20), 10)})
    made["m"] = made["lot"]
    columns = [Column("lot", "text", "group"), M, Y]
    found = fit("target_encode", made, columns, {"smoothing": 0.0}).apply(made, in_training=True).table["m_mean"]
    assert (found.groupby(made["lot"]).nunique() == 1).all()
    assert abs(np.corrcoef(found, made["y"])[0, 1]) < 0.6


def test_classes_get_a_column_each_and_two_classes_one(clean: Clean) -> None:
    made = pd.DataFrame({"m": ["a", "a", "b", "b"], "y": ["good", "bad", "good", "good"]})
    target = Column("y", "text", "target")
    done = clean("target_encode", made, [M, target], {"smoothing": 0.0})
    assert done.table["m_good"].tolist() == [0.5, 0.5, 1.0, 1.0]
    made["y"] = ["x", "y", "z", "z"]
    done = clean("target_encode", made, [M, target], {"smoothing": 0.0})
    assert done.table[["m_x", "m_y", "m_z"]].to_numpy().tolist() == [[0.5, 0.5, 0.0]] * 2 + [[0.0, 0.0, 1.0]] * 2


def test_without_a_target_to_learn_from_the_step_is_refused(fit: Fit) -> None:
    with pytest.raises(SettingProblem, match="learns from the column to predict, and there is none"):
        fit("target_encode", parts(), [M, Column("y", "number")])
    recipe = Recipe.read({"steps": [{"key": "target_encode"}]})
    with pytest.raises(SettingProblem, match="learns from the column to predict"):
        fit_recipe(recipe, TrainPart(parts(), _made_by_split=True), [M, Y], knows_target=False)
    many = parts().assign(y=[f"class {i}" for i in range(400)])
    with pytest.raises(DataProblem, match="400 different texts"):
        fit("target_encode", many, [M, Column("y", "text", "target")])


TEXTS = ["Pump leaks at seal", "pump 12 noisy, pump hot", "seal replaced", "ok", "Valve stuck", "pump ok", "valve leaks leaks"]


@pytest.mark.parametrize(("weights", "theirs"), [("tfidf", TfidfVectorizer), ("count", CountVectorizer)])
def test_word_weights_equal_scikit_learn(clean: Clean, weights: str, theirs: type) -> None:
    made = pd.DataFrame({"m": [*TEXTS, "unheard of pump"]})
    done = clean(
        "text_features", made, [M], {"n_words": 5, "weights": weights, "form": False}, n_train=len(TEXTS), named=("m",)
    )
    words = [name.removeprefix("m:") for name in done.table]
    assert len(words) == 5 and {"pump", "leaks", "ok", "seal", "valve"} == set(words)
    expected = theirs(vocabulary=words).fit(TEXTS).transform(made["m"]).toarray()
    np.testing.assert_allclose(done.table.to_numpy(), expected, rtol=1e-12)


def test_length_words_and_digits_by_hand(clean: Clean) -> None:
    made = pd.DataFrame({"m": ["E12 at 3.5 bar", None, "泵漏油"]})
    done = clean("text_features", made, [M], {"n_words": 0, "keep": True}, named=("m",)).table
    assert done[["m_length", "m_words", "m_digits"]].to_numpy().tolist() == [[14, 3, 4], [0, 0, 0], [3, 3, 0]]
    assert words_of("E12 at 3.5 bar") == ["e12", "at", "bar"]


def sensors(n: int = 300, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, 2))
    values = base @ rng.normal(size=(2, 5)) + 0.05 * rng.normal(size=(n, 5))
    return pd.DataFrame(values * [1, 10, 100, 1000, 1e-3] + 50, columns=list("abcde"))


SENSORS = tuple(Column(c, "number") for c in "abcde")


def test_components_equal_scikit_learn_up_to_their_sign(clean: Clean) -> None:
    made = sensors()
    done = clean("pca_features", made, SENSORS, {"share": 0.99}, n_train=200)
    scaled = StandardScaler().fit(made[:200])
    expected = PCA(n_components=2).fit(scaled.transform(made[:200])).transform(scaled.transform(made))
    assert list(done.table) == ["pc1", "pc2"]
    for i in range(2):
        sign = np.sign(np.corrcoef(done.table.iloc[:, i], expected[:, i])[0, 1])
        np.testing.assert_allclose(done.table.iloc[:, i], sign * expected[:, i], atol=1e-9)


def test_a_row_with_a_gap_has_no_components_and_constant_columns_stay(clean: Clean) -> None:
    made = sensors().assign(c=7.0, d=np.nan)
    made.loc[5, "a"] = np.nan
    made.loc[6, "b"] = np.inf
    done = clean("pca_features", made, SENSORS, {"n_components": 1})
    assert list(done.table) == ["c", "d", "pc1"]
    assert np.flatnonzero(done.table["pc1"].isna()).tolist() == [5, 6]
    assert str(done.changes[0].notes[1]) == "2 rows with an empty cell stay empty in the new columns."


def test_the_middle_of_an_autoencoder_keeps_a_curve_that_one_component_cannot(clean: Clean) -> None:
    angle = np.random.default_rng(3).uniform(-2, 2, 600)
    made = pd.DataFrame({"a": np.sin(angle), "b": np.cos(angle), "c": angle})
    columns = [Column(c, "number") for c in made]
    squeezed = clean("bottleneck_features", made, columns, {"n_components": 1})
    straight = clean("pca_features", made, columns, {"n_components": 1})
    shares = [float(d.changes[0].notes[0].values["share"]) for d in (squeezed, straight)]
    assert shares[0] > 95 > 75 > shares[1]
    assert abs(pd.Series(angle).corr(squeezed.table["code1"], method="spearman")) > 0.95


def test_too_few_complete_rows_teach_nothing(clean: Clean) -> None:
    done = clean("pca_features", sensors(), SENSORS, n_train=2)
    assert list(done.table) == list("abcde")
    assert str(done.changes[0].notes[0]).startswith("Nothing was learned")


def said(done: Cleaned) -> list[str]:
    return [str(note) for note in done.changes[0].notes]


def test_constant_columns_go_with_the_reason(clean: Clean) -> None:
    n = 100
    made = pd.DataFrame(
        {"a": np.arange(n) * 1.0, "b": 7.0, "c": np.nan, "d": [0.0] * 99 + [1.0], "e": 1e9 + 1e-6 * (np.arange(n) % 2)}
    )
    made["m"] = ["x"] * 99 + ["y"]
    done = clean("drop_constant", made, [*SENSORS, M])
    assert list(done.table) == ["a"]
    assert said(done) == [
        "'b' is left out: it is constant in the training part",
        "'c' is left out: it is empty in the training part",
        "'d' is left out: one value fills 99 % of it",
        "'e' is left out: it is constant in the training part",
        "'m' is left out: one value fills 99 % of it",
    ]


def test_of_two_doubled_columns_the_later_goes(clean: Clean) -> None:
    made = sensors()
    made["b"], made["d"] = -3 * made["a"] + 1, made["c"]
    done = clean("drop_correlated", made, SENSORS, {"limit": 0.99})
    assert list(done.table) == ["a", "c", "e"]
    assert said(done) == [
        "'b' is left out: its correlation with 'a' is -1",
        "'d' is left out: its correlation with 'c' is 1",
    ]


def with_target(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    made = pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde"))
    made["y"] = 2 * made["a"] + made["c"] ** 2 + 0.1 * rng.normal(size=n)
    return made


def test_the_columns_that_tell_most_stay_curves_included(clean: Clean) -> None:
    done = clean("keep_informative", with_target(), [*SENSORS, Y], {"n_keep": 2})
    assert list(done.table) == ["a", "c", "y"]
    assert said(done)[0].startswith("'b' is left out: it tells ")


@pytest.mark.parametrize(("model", "kept"), [("linear", {"a"}), ("forest", {"a", "c"})])
def test_columns_that_a_quick_model_does_not_use_go(clean: Clean, model: str, kept: set[str]) -> None:
    done = clean("keep_useful", with_target(), [*SENSORS, Y], {"model": model, "n_repeats": 10})
    assert kept <= set(done.table) <= {*kept, "y", "c"}
    assert len(set(done.table) - {"y"}) < 5


@pytest.mark.parametrize("key", ["keep_informative", "keep_useful"])
def test_classes_can_be_told_apart_too(clean: Clean, key: str) -> None:
    made = with_target().assign(y=lambda t: np.where(t["a"] > 0, "good", "bad"))
    settings = {"n_keep": 1} if key == "keep_informative" else {}
    done = clean(key, made, [*SENSORS, Column("y", "text", "target")], settings)
    assert "a" in done.table and len(done.table.columns) < 6


def test_nothing_goes_where_the_quick_model_is_no_better_than_guessing(clean: Clean) -> None:
    made = with_target().assign(y=np.random.default_rng(0).normal(size=600))
    assert list(clean("keep_useful", made, [*SENSORS, Y]).table) == [*"abcde", "y"]


def test_selection_sees_columns_that_earlier_steps_made(fit: Fit) -> None:
    made = with_target()
    steps = [{"key": "lag", "columns": ["a"]}, {"key": "keep_informative", "settings": {"n_keep": 1}}]
    recipe = fit_recipe(Recipe.read({"steps": steps}), TrainPart(made, _made_by_split=True), [*SENSORS, Y])
    assert [c.name for c in recipe.columns] == ["a", "y"]


def test_a_table_without_the_columns_that_go_can_be_cleaned(fit: Fit) -> None:
    made = sensors().assign(b=7.0)
    recipe = fit("drop_constant", made, SENSORS)
    assert list(recipe.apply(made.drop(columns="b")).table) == list("acde")
