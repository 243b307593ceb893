"""Parameters of a node: declared with what they mean, their range, and whether they may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter: its default, what it means (with the unit), and its bounds."""

    default: Any
    meaning: str
    low: float | None = None
    high: float | None = None
    fixed: bool = True


def declare(node: Node, settings: dict[str, Setting]) -> None:
    """Declare a node's parameters; a value outside its bounds is refused by name."""
    for name, setting in settings.items():
        descriptor = ParameterDescriptor(description=setting.meaning, read_only=setting.fixed)
        if setting.low is not None and setting.high is not None:
            if isinstance(setting.default, float):
                bounds = FloatingPointRange(from_value=setting.low, to_value=setting.high)
                descriptor.floating_point_range = [bounds]
            else:
                whole = IntegerRange(from_value=int(setting.low), to_value=int(setting.high))
                descriptor.integer_range = [whole]
        node.declare_parameter(name, setting.default, descriptor)


def value(node: Node, name: str) -> Any:
    """Look a parameter's value up."""
    return node.get_parameter(name).value
