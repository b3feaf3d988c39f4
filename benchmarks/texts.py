"""Free text, on made inspection remarks: bag of words, GRU and attention with three seeds, in English and in Chinese.

There is no public set of short inspection remarks with published figures beside this project, so the remarks are made here, by
rule and seed, and the figures say how the families compare on text of this kind, not how they would do on yours.

A remark has up to three clauses: at most one complaint that holds now, and beside it complaints that are denied or past, and
small talk. The class is the complaint that holds (hot, leaking, loose, noisy), or "ok". Each complaint has several wordings, one
word in forty has a typing error, and one class in twenty is wrong, so that nobody can be right in much more than 96 % (the wrong
class is drawn from all five). Two number columns are noise. Parts, validation and test part are split at random by the product.

`make bench-texts`; with `--keep FILE` a run that was cut goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import publish, table
from core import workflows as wf
from core.jobs import wait_for_job
from core.training.request import TrainRequest

CLASSES = ("hot", "leaking", "loose", "noisy", "ok")
WRONG, TYPO = 0.05, 1 / 40
SIZES = (("English", 1_000), ("Chinese", 1_000), ("English", 3_000))
SEEDS = (1, 2, 3)
FAMILIES = ("logistic", "bag_of_words", "text_gru", "text_attention")
ENGLISH = {
    "parts": ["left bearing", "right bearing", "main pump", "inlet valve", "drive shaft", "conveyor belt", "hose 4", "motor M12"],
    "hot": ["the {p} is hot", "{p} runs hotter than it should", "high temperature at the {p}", "{p} at {n} degrees"],
    "leaking": ["the {p} is leaking", "oil below the {p}", "{p} drips", "wet spot under the {p}"],
    "loose": ["the {p} is loose", "{p} has too much play", "bolts of the {p} came off", "{p} rattles in its seat"],
    "noisy": ["the {p} is loud", "{p} squeals at start", "grinding sound from the {p}", "{p} makes a noise"],
    "denied": ["no longer true that {c}", "it is not so that {c}", "operator thought {c} but it was not", "could not confirm that {c}"],
    "past": ["last week {c}, repaired since", "{c} before the service, fine now"],
    "talk": ["checked on the round", "shift B", "line {n}", "code E{n}", "no remarks otherwise", "photo taken", "all guards closed"],
    "join": ["; ", ". ", ", "],
}  # fmt: skip
CHINESE = {
    "parts": ["左轴承", "右轴承", "主泵", "进口阀", "传动轴", "输送带", "4号软管", "M12电机"],
    "hot": ["{p}过热", "{p}温度偏高", "{p}发烫", "{p}达到{n}度"],
    "leaking": ["{p}漏油", "{p}下方有油迹", "{p}滴水", "{p}密封渗漏"],
    "loose": ["{p}松动", "{p}间隙过大", "{p}螺栓脱落", "{p}晃动"],
    "noisy": ["{p}异响", "{p}启动时尖叫", "{p}有摩擦声", "{p}噪声大"],
    "denied": ["未发现{c}", "并非{c}", "曾怀疑{c}但不是", "无法确认{c}"],
    "past": ["上周{c}，已修复", "保养前{c}，现已正常"],
    "talk": ["例行巡检", "乙班", "{n}号线", "代码E{n}", "其余无异常", "已拍照", "护罩齐全"],
    "join": ["；", "。", "，"],
}  # fmt: skip


def remarks(n: int, language: str = "English", seed: int = 0) -> pd.DataFrame:
    """`n` remarks with their class, as the head of this file describes them."""
    words, rng = (ENGLISH if language == "English" else CHINESE), np.random.default_rng(seed)
    made = [_remark(words, rng) for _ in range(n)]
    classes = np.array([name for _, name in made])
    wrong = rng.random(n) < WRONG
    classes[wrong] = rng.choice(CLASSES, size=int(wrong.sum()))
    noise = rng.normal(size=(n, 2)).round(4)
    return pd.DataFrame(
        {"remark": [text for text, _ in made], "pressure": noise[:, 0], "speed": noise[:, 1], "verdict": classes}
    )


def _remark(words: dict[str, list[str]], rng: np.random.Generator) -> tuple[str, str]:
    name = str(rng.choice(CLASSES))
    clauses = [] if name == "ok" else [_complaint(words, name, rng)]
    for _ in range(int(rng.integers(0 if clauses else 1, 3))):
        kind = str(rng.choice(["denied", "past", "talk"]))
        other = _complaint(words, str(rng.choice(CLASSES[:-1])), rng)
        clauses.append(str(rng.choice(words[kind])).format(c=other, n=rng.integers(1, 400)))
    rng.shuffle(clauses)
    return _with_typos(str(rng.choice(words["join"])).join(clauses), rng), name


def _complaint(words: dict[str, list[str]], name: str, rng: np.random.Generator) -> str:
    return str(rng.choice(words[name])).format(p=rng.choice(words["parts"]), n=rng.integers(70, 130))


def _with_typos(text: str, rng: np.random.Generator) -> str:
    """One word in forty loses a letter or, without spaces between words, one character in forty."""
    pieces = text.split(" ") if " " in text else list(text)
    for i, piece in enumerate(pieces):
        if rng.random() < TYPO and len(piece) != 2:
            cut = int(rng.integers(len(piece))) if piece else 0
            pieces[i] = piece[:cut] + piece[cut + 1 :]
    return (" " if " " in text else "").join(pieces)


def measured(ws: wf.Workspace, dataset: str, model: str, seed: int) -> tuple[float, float]:
    """Accuracy on the test part, and the processor seconds of the whole job: the clock is blurred by other work on a machine."""
    split = {"method": "random", "validation_fraction": 0.15, "test_fraction": 0.3}
    request = {"dataset_id": dataset, "dataset_version": 1, "task": "classification", "target": "verdict", "model": model}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = wf.start_training(ws, TrainRequest.read(request | {"seed": seed, "split": split}))
    wait_for_job(ws.store, run.job_id)
    _reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = wf.get_run(ws, run.id)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(found.metrics["accuracy"].value or 0.0), spent


def _reap() -> None:
    """Wait for workers that have ended: until then the system does not count their time."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:  # there is none left
            return
        if not ended:
            time.sleep(0.2)


def kept_cells(language: str, n: int, folder: Path, known: dict[str, list[float]], keep: Path | None) -> None:
    """Measure what is not known of one size: every family with every seed; each cell is kept as it comes."""
    wanted = [(model, seed) for seed in SEEDS for model in FAMILIES if _key(language, n, model, seed) not in known]
    if not wanted:
        return
    ws = wf.open_workspace(folder / f"{language}{n}")
    path = folder / f"{language}{n}.csv"
    remarks(n, language).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    for model, seed in wanted:
        cell = known[_key(language, n, model, seed)] = list(measured(ws, dataset.id, model, seed))
        print(_key(language, n, model, seed), cell, flush=True)
        if keep is not None:
            keep.write_text(json.dumps(known, indent=1), encoding="utf-8")


def _key(language: str, n: int, model: str, seed: int) -> str:
    return f"{language} {n} {model} {seed}"


def line(language: str, n: int, model: str, known: dict[str, list[float]]) -> list[str]:
    """A line of the table: mean accuracy with the smallest and largest of the seeds, and processor seconds."""
    cells = [known[key] for seed in SEEDS if (key := _key(language, n, model, seed)) in known]
    right = [100 * cell[0] for cell in cells]
    spread = f"{np.mean(right):.1f} ({min(right):.1f}–{max(right):.1f})"
    return [language, f"{n:,}", model, str(len(cells)), spread, f"{np.median([cell[1] for cell in cells]):.0f} s"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all and put the table into the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="a file of finished cells, from which a cut run goes on")
    parser.add_argument("--shown", action="store_true", help="measure nothing more, publish what is kept")
    options = parser.parse_args(arguments)
    keep = options.keep
    known = json.loads(keep.read_text(encoding="utf-8")) if keep is not None and keep.exists() else {}
    if not options.shown:
        with tempfile.TemporaryDirectory() as folder:
            for language, n in SIZES:
                kept_cells(language, n, Path(folder), known, keep)
    found = [
        line(language, n, model, known)
        for language, n in SIZES
        for model in FAMILIES
        if _key(language, n, model, SEEDS[0]) in known
    ]
    head = ["remarks", "rows", "family", "seeds", "accuracy %, mean (range)", "processor time of the job (median)"]
    publish("texts", "make bench-texts", table(head, found))


if __name__ == "__main__":
    main()
