"""Made inspection remarks whose class is known: in English with negations, and in Chinese."""

from __future__ import annotations

import numpy as np
import pandas as pd

STARTS = ("checked the", "shift report:", "operator says", "found the", "line 3:", "during the round the")
PARTS = ("left bearing", "right bearing", "main pump", "inlet valve", "drive shaft", "belt", "hose 4", "motor M12")
STATES = ("hot", "loud", "leaking", "loose")
ENDS = ("again", "today", "at 12.5 bar", "code E204", "since noon", "")
CHINESE_PARTS = ("轴承", "主泵", "阀门", "传动轴", "皮带", "软管")
CHINESE_STATES = ("过热", "漏油", "松动", "异响")
CHINESE_STARTS = ("巡检发现", "操作员反映", "早班记录", "复查后")


def english(n: int, seed: int = 0) -> pd.DataFrame:
    """Remarks that say of one part that it is, or is not, in a bad state: only "not" tells the class. Two columns of noise."""
    rng = np.random.default_rng(seed)
    is_fault = rng.random(n) < 0.5
    texts = [
        f"{rng.choice(STARTS)} {rng.choice(PARTS)} is {'' if bad else 'not '}{rng.choice(STATES)} {rng.choice(ENDS)}".strip()
        for bad in is_fault
    ]
    return _with_noise(texts, np.where(is_fault, "fault", "ok"), rng)


def chinese(n: int, seed: int = 0) -> pd.DataFrame:
    """The same in Chinese: "没有" before the state makes it good."""
    rng = np.random.default_rng(seed)
    is_fault = rng.random(n) < 0.5
    texts = [
        f"{rng.choice(CHINESE_STARTS)}{rng.choice(CHINESE_PARTS)}{'' if bad else '没有'}{rng.choice(CHINESE_STATES)}。"
        for bad in is_fault
    ]
    return _with_noise(texts, np.where(is_fault, "故障", "正常"), rng)


def order_only(n: int, seed: int = 0) -> pd.DataFrame:
    """Remarks with the same words and the same pairs of neighbours in both classes: only which part is named first tells.

    Both parts stand between the same words, so that a bag of words and pairs is blind to it by construction.
    """
    rng = np.random.default_rng(seed)
    is_fault = rng.random(n) < 0.5
    texts = []
    for bad in is_fault:
        first, second = ("pump", "valve") if bad else ("valve", "pump")
        texts.append(
            f"{rng.choice(STARTS)} near {first} near {rng.choice(STATES)} near {second} near {rng.choice(ENDS)}".strip()
        )
    return _with_noise(texts, np.where(is_fault, "fault", "ok"), rng)


def _with_noise(texts: list[str], classes: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    noise = rng.normal(size=(len(texts), 2)).round(4)
    return pd.DataFrame({"Remark": texts, "pressure": noise[:, 0], "speed": noise[:, 1], "class": classes})
