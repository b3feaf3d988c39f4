"""The only place that names a colour. Two looks, light and dark, equal to those of the pages.

Neutral surface and one accent; categories from Okabe & Ito (2008), magnitudes from cividis (Nuñez, Anderton & Renslow
2018), green / amber / red only for status.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from core.errors import unknown_choice

ThemeName = Literal["light", "dark"]
FONT = "Inter, 'Segoe UI', 'Helvetica Neue', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
CIVIDIS = (
    "#00224E", "#123570", "#3B496C", "#575D6D", "#707173",
    "#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838",
)  # fmt: skip
FAINT, STRONG = 0.06, 0.5  # shares of a colour in the background


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one look, as #RRGGBB."""

    background: str
    surface: str
    text: str
    muted: str
    border: str
    primary: str
    good: str
    warn: str
    bad: str
    categories: tuple[str, ...]


_PALETTES: dict[str, Palette] = {
    "light": Palette(
        background="#FFFFFF",
        surface="#F3F6F8",
        text="#1B2630",
        muted="#5B6B77",
        border="#DFE5EA",
        primary="#0B5C73",
        good="#1E7B4B",
        warn="#A65B00",
        bad="#B3261E",
        categories=("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#5B6B77", "#B8A100"),
    ),
    "dark": Palette(
        background="#12181D",
        surface="#1A2229",
        text="#E4EAEE",
        muted="#9AA8B2",
        border="#2E3A44",
        primary="#5FB7CE",
        good="#4CC38A",
        warn="#F2A65A",
        bad="#FF7A70",
        categories=("#56B4E9", "#E69F00", "#2BBF95", "#CC79A7", "#8CCBF0", "#E4722B", "#9AA8B2", "#D6C52B"),
    ),
}


@dataclass(frozen=True)
class Theme:
    """One look: `Theme("light")` or `Theme("dark")`.

    Raises:
        SettingProblem: another name.
    """

    name: ThemeName = "light"

    def __post_init__(self) -> None:
        if self.name not in _PALETTES:
            raise unknown_choice("theme", self.name, get_args(ThemeName))

    @cached_property
    def colors(self) -> Palette:
        """The colours of this look."""
        return _PALETTES[self.name]

    def category(self, i: int) -> str:
        """The colour of the i-th category; it repeats after eight."""
        return self.colors.categories[i % len(self.colors.categories)]

    def light(self, color: str, share: float = 0.14) -> str:
        """`color` mixed into the background, #RRGGBB: what ribbons and bands are filled with."""
        front, back = _rgb(color), _rgb(self.colors.background)
        return "#" + "".join(f"{round(share * f + (1 - share) * b):02X}" for f, b in zip(front, back, strict=True))

    def clear(self, color: str, share: float = 0.14) -> str:
        """`color` as a see-through rgba(), for fills that lie over each other."""
        return "rgba({}, {}, {}, {:g})".format(*_rgb(color), share)

    def part(self, code: int, share: float = 0.14) -> str:
        """The fill of a part of the split: train, validation, test, gap (0 to 3)."""
        c = self.colors
        return self.light((c.categories[0], c.categories[2], c.categories[1], c.muted)[code], share)

    @cached_property
    def scale(self) -> list[list[float | str]]:
        """Cividis as a Plotly colour scale; 0 is the end that is nearest to the background."""
        stops = CIVIDIS if self.name == "dark" else CIVIDIS[::-1]
        return [[i / (len(stops) - 1), color] for i, color in enumerate(stops)]

    @property
    def right_and_wrong(self) -> list[list[float | str]]:
        """A scale from −1, all wrong, in orange over the background to 1, all right, in blue. The theme's text is readable on all of it."""
        right, wrong = self.category(0), self.category(1)
        return [
            [0.0, self.light(wrong, STRONG)],
            [0.5 - 1e-6, self.light(wrong, FAINT)],
            [0.5, self.colors.background],
            [0.5 + 1e-6, self.light(right, FAINT)],
            [1.0, self.light(right, STRONG)],
        ]


LIGHT, DARK = Theme("light"), Theme("dark")


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
