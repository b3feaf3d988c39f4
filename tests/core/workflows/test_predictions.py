"""The verdict on classes rests on the figure that it names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from core.evaluation import classification_metrics
from core.workflows.predictions import class_verdict

CLASSES = ("bearing", "none", "seal")


def _results(ours, theirs, truth):
    def frame(p):
        names = np.array(CLASSES, dtype=object)[truth]
        return pd.DataFrame({"truth": names, **{f"probability_{c}": p[:, i] for i, c in enumerate(CLASSES)}})

    figures = [{m.key: m for m in classification_metrics(truth, p, CLASSES)} for p in (ours, theirs)]
    run = SimpleNamespace(metrics=figures[0], baseline_metrics=figures[1], baseline="logistic", request=SimpleNamespace(seed=7))
    manifest = SimpleNamespace(
        target={"classes": list(CLASSES)}, positive=None, split={"counts": {"test": len(truth)}, "method": "random"}
    )
    return SimpleNamespace(
        run=run,
        manifest=manifest,
        scores=frame(ours),
        baseline_scores=frame(theirs),
        part_rows=lambda part: np.arange(len(truth)),
        blocks=lambda rows: None,
    )


def test_three_classes_are_compared_by_macro_f1_and_not_by_the_last_class_alone():
    # Both tell "seal" equally well; only the model tells the other two apart.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    seal = np.where(truth == 2, 0.8, 0.1) + rng.uniform(0, 0.1, 300)
    right = np.where(truth == 0, 0.9, 0.1)
    guess = rng.uniform(0.3, 0.7, 300)
    ours, theirs = (np.column_stack([(1 - seal) * s, (1 - seal) * (1 - s), seal]) for s in (right, guess))
    said = str(class_verdict(_results(ours, theirs, truth)))
    assert "Macro F1 is 1;" in said and "clearly better than the simple baseline" in said, said
