"""A module as one call into torch. Knows nothing of what it computes.

A forward pass of small products is hundreds of calls, each of which gives Python's lock away and asks for it
again: beside a thread that decodes or counts, the cores wait for it most of the time. As a script the pass
asks for it once. torch has deprecated its scripts and has nothing yet in their place that needs no compiler
on the machine; so they are made here and nowhere else, and what they are made of runs without them, too.
"""

import warnings
from typing import TypeVar, cast

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def scripted(module: Module) -> Module:
    """Return a module that computes the same and lets other threads run meanwhile."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        return cast(Module, torch.jit.script(module.eval()))
