"""`module`: a user's own network and data as a task; and a task by its name in a file."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

from liebig.core.errors import UserError, did_you_mean
from liebig.data.module.task import ModuleTask, name_of
from liebig.data.module.task import module_task as module

__all__ = ["ModuleTask", "module", "named_task", "names_task"]


def names_task(source: object) -> bool:
    """True for ``my_project.py:task``."""
    return isinstance(source, str) and ".py:" in source


def named_task(source: str) -> ModuleTask:
    """The task that ``my_project.py:task`` names: the file is run, as an import would. A task without a name of its own is
    called as the file. Raises UserError."""
    file, _, name = source.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UserError(f'there is no file "{file}"')
    sys.path.insert(0, str(path.resolve().parent))
    try:
        found = runpy.run_path(str(path), run_name=path.stem)
    except UserError:
        raise
    except Exception as error:  # the user's own code runs here
        raise UserError(f"{file} cannot be run ({type(error).__name__}: {error})") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    if name not in found:
        tasks = [each for each, value in found.items() if isinstance(value, ModuleTask)]
        raise UserError(f'{file} has no "{name}".{did_you_mean(name, tasks)}')
    if not isinstance(found[name], ModuleTask):
        raise UserError(
            f"{source} must be a task that liebig.module(...) makes, however {type(found[name]).__name__} came"
        )
    task: ModuleTask = found[name]
    if task.task.name != name_of(task.users.build):
        return task  # it has a name of its own
    return replace(task, task=replace(task.task, name=path.stem))
