"""Alias: the small apps that graphs and components find in one module."""

from __future__ import annotations

from dlg.apps.arrays import AverageArraysApp, RandomArrayApp
from dlg.apps.branch import Branch, SimpleBranch
from dlg.apps.copy import CopyApp, SleepAndCopyApp
from dlg.apps.hello import HelloWorldApp
from dlg.apps.lists import ListAppendThrashingApp, PickOne
from dlg.apps.null import NullBarrierApp
from dlg.apps.scatter_gather import (
    ArrayGatherApp,
    DictGatherApp,
    GenericGatherApp,
    GenericNpyGatherApp,
    GenericNpyScatterApp,
    GenericScatterApp,
)
from dlg.apps.sleep import SleepApp
from dlg.apps.url import UrlRetrieveApp

__all__ = [
    "ArrayGatherApp",
    "AverageArraysApp",
    "Branch",
    "CopyApp",
    "DictGatherApp",
    "GenericGatherApp",
    "GenericNpyGatherApp",
    "GenericNpyScatterApp",
    "GenericScatterApp",
    "HelloWorldApp",
    "ListAppendThrashingApp",
    "NullBarrierApp",
    "PickOne",
    "RandomArrayApp",
    "SimpleBranch",
    "SleepAndCopyApp",
    "SleepApp",
    "UrlRetrieveApp",
]
