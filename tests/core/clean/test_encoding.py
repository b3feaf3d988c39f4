"""Categories to 0/1 columns, including those that training has not seen."""

import pandas as pd

from core.clean import Cleaned, Recipe, fit_recipe
from core.data.dataset import Column
from core.data.split import TrainPart

COLUMNS = (Column("p", "number"), Column("m", "text"), Column("q", "number"))


def clean(train: list[str | None], fresh: list[str | None], **settings: object) -> Cleaned:
    def table(texts: list[str | None]) -> pd.DataFrame:
        return pd.DataFrame({"p": 1.0, "m": texts, "q": 2.0})

    recipe = Recipe.read({"steps": [{"key": "one_hot", "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table(train), _made_by_split=True), COLUMNS).apply(table(fresh))


def test_each_category_gets_a_column_at_the_place_of_the_text() -> None:
    cleaned = clean(["b", "a", "b"], ["a", "b"])
    assert list(cleaned.table) == ["p", "m=a", "m=b", "q"]
    assert cleaned.table["m=a"].tolist() == [1.0, 0.0]
    assert cleaned.table["m=b"].tolist() == [0.0, 1.0]
    assert cleaned.changes[0].added_columns == ("m=a", "m=b")
    assert cleaned.changes[0].removed_columns == ("m",)


def test_unknown_and_empty_cells_are_zero_everywhere_and_counted() -> None:
    cleaned = clean(["a", "b"], ["a", "new", "newer", None])
    assert cleaned.table[["m=a", "m=b"]].sum(axis=1).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert [str(n) for n in cleaned.changes[0].notes] == [
        "2 rows of 'm' have a category without a column of its own.",
        "1 row of 'm' is empty and gets 0 everywhere.",
    ]


def test_only_the_most_frequent_categories_get_a_column() -> None:
    cleaned = clean(["c", "c", "b", "b", "a"], ["a", "b", "c"], max_categories=2)
    assert cleaned.changes[0].added_columns == ("m=b", "m=c")
    cleaned = clean(["c", "b", "a"], ["a"], max_categories=2)
    assert cleaned.changes[0].added_columns == ("m=a", "m=b")


def test_a_name_that_is_taken_gets_an_underscore() -> None:
    table = pd.DataFrame({"m": ["a", "b"], "m=a": [1.0, 2.0]})
    columns = (Column("m", "text"), Column("m=a", "number"))
    recipe = fit_recipe(Recipe.read({"steps": [{"key": "one_hot"}]}), TrainPart(table, _made_by_split=True), columns)
    assert list(recipe.apply(table).table) == ["m=a_", "m=b", "m=a"]


def test_all_missing_in_training_leaves_no_column() -> None:
    cleaned = clean([None, None], ["a", None])
    assert list(cleaned.table) == ["p", "q"]
    assert str(cleaned.changes[0].notes[0]) == "1 row of 'm' has a category without a column of its own."
