"""The four demo projects: seeded tables from documented models, so that what a model finds can be held to the truth."""

from __future__ import annotations

from core.data.demos import engine_life, hydraulic_pump, injection_moulding, inspection
from core.data.demos.demo import Demo
from core.errors import unknown_choice

__all__ = ["DEMOS", "Demo", "demo_by_key"]

DEMOS: tuple[Demo, ...] = (injection_moulding.DEMO, hydraulic_pump.DEMO, engine_life.DEMO, inspection.DEMO)


def demo_by_key(key: str) -> Demo:
    """The demo project of that key.

    Raises:
        SettingProblem: there is none; the error lists the keys.
    """
    for demo in DEMOS:
        if demo.key == key:
            return demo
    raise unknown_choice("demo", key, [d.key for d in DEMOS])
