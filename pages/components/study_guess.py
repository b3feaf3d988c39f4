"""Which columns of a table may be those of a measurement study, by their names alone: a guess that the rail shows and that can be changed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from core.data.dataset import Dataset

PART = {
    "part",
    "parts",
    "partno",
    "partid",
    "piece",
    "sample",
    "sampleid",
    "specimen",
    "item",
    "teil",
    "probe",
    "pruefling",
    "prüfling",
}
WHO = {
    "operator",
    "operators",
    "appraiser",
    "inspector",
    "rater",
    "assessor",
    "technician",
    "who",
    "prüfer",
    "pruefer",
    "bediener",
}
TRIAL = {"trial", "repeat", "replicate", "run", "repetition", "wiederholung"}
VALUE = {"measurement", "measured", "measure", "reading", "value", "messwert", "wert", "result"}
RATING = {
    "rating",
    "rated",
    "decision",
    "verdict",
    "judgement",
    "judgment",
    "assessment",
    "appraisal",
    "result",
    "bewertung",
    "urteil",
}
STANDARD = {"standard", "reference", "truth", "true", "master", "referenz", "soll"}
# Chinese names have no blanks between words, so that a part of the name is enough.
CHINESE = {
    "part": ("零件", "样品", "样件", "工件", "试样"),
    "who": ("操作", "评价人", "检验员", "测量人", "测量员"),
    "trial": ("次数", "重复", "试验号"),
    "value": ("测量值", "读数", "测得"),
    "rating": ("评价结果", "判定", "评定", "结果"),
    "standard": ("基准", "标准", "参考"),
}


@dataclass(frozen=True, slots=True)
class StudyColumns:
    """Names of columns, None where none has such a name."""

    part: str | None
    who: str | None
    trial: str | None
    measurement: str | None
    rating: str | None
    standard: str | None


def guess_study(dataset: Dataset) -> StudyColumns:
    """The columns of a study. Part and operator need a telling name: a lot is no part that was measured again and again."""
    usable = [c for c in dataset.columns if c.role not in ("ignore", "time") and c.kind != "time"]
    names = [c.name for c in usable]
    taken: list[str] = []

    def named(kind: str, words: Collection[str], among: Collection[str]) -> str | None:
        found = next((n for n in names if n in among and n not in taken and _says(n, words, CHINESE[kind])), None)
        if found is not None:
            taken.append(found)
        return found

    who = named("who", WHO, names)
    trial = named("trial", TRIAL, names)
    standard = named("standard", STANDARD, names)
    numbers = [c.name for c in usable if c.kind == "number"]
    few = [c.name for c in usable if c.kind == "text" or c.role == "target"]
    measurement = named("value", VALUE, numbers)
    rating = named("rating", RATING, few) or named("rating", RATING, names)
    part = named("part", PART, names)
    targets = [c.name for c in dataset.with_role("target")]
    free = [n for n in [*targets, *names] if n not in taken]
    measurement = measurement or next((n for n in free if n in numbers), None)
    rating = rating or next((n for n in free if n in few), None)
    return StudyColumns(part, who, trial, measurement, rating, standard)


def _says(name: str, words: Collection[str], chinese: Collection[str]) -> bool:
    """Whether a word of the name is one of those: "PartID", "part no.", "零件号"."""
    parted = re.sub(r"([a-zäöüß])([A-Z])", r"\1 \2", name)
    return any(word in words for word in re.split(r"[\W\d_]+", parted.lower())) or any(word in name for word in chinese)
