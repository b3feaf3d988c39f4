"""Work in a process of its own with limits, for what cannot be trusted: files from anywhere."""

from core.confined.child import Limits, child_environment, in_child, was_cancelled

__all__ = ["Limits", "child_environment", "in_child", "was_cancelled"]
