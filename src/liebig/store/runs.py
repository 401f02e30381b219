"""The runs of ``liebig fit`` on disk: ``NAME-runs/1``, ``NAME-runs/2``, ... Each holds

run.json         what was asked for and how it ended
recipe.toml      how it was trained
evidence.json    what was measured on the way
model/           the model, where training gave one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from liebig.core.errors import UserError
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Outcome
from liebig.core.task import TaskKind
from liebig.recipes import recipe_from_plain, recipe_from_toml, recipe_to_toml
from liebig.store.atomic import write_file
from liebig.store.codec import from_json, to_json

_MANIFEST: Final = "run.json"
_RECIPE: Final = "recipe.toml"
_EVIDENCE: Final = "evidence.json"


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What was asked for and how it ended. `source` and `options` (as typed) are enough to read the same task again. Scores
    are as the user reads them, on the rows `score_rows` that were only scored. `epochs` is the selected epoch + 1."""

    name: str
    source: str
    options: Mapping[str, str]
    target: str
    kind: TaskKind
    classes: tuple[str, ...]
    metric: str
    higher_is_better: bool
    seed: int
    outcome: Outcome
    epochs: int
    seconds: float
    score: float
    score_error: float
    rows: int
    score_rows: int
    began: str
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run on disk. Reading raises UserError, one sentence, when a file is missing or damaged."""

    path: Path

    @staticmethod
    def create(runs: Path) -> RunDirectory:
        """Make the next free directory in `runs` (``NAME-runs``). Two processes never get the same. Raises UserError."""
        try:
            runs.mkdir(parents=True, exist_ok=True)
            number = max((int(each.name) for each in runs.iterdir() if each.name.isdecimal()), default=0)
            while True:
                number += 1
                try:
                    (runs / str(number)).mkdir()
                except FileExistsError:
                    continue
                return RunDirectory(runs / str(number))
        except OSError as error:
            raise UserError(f'the run directory "{runs}" cannot be written: {error.strerror or error}') from error

    @property
    def model_path(self) -> Path:
        return self.path / "model"

    def write(self, manifest: RunManifest, recipe: Recipe, evidence: Evidence) -> None:
        """Write the three files, the manifest last: a directory that has one is whole. Raises UserError."""
        write_file(self.path / _RECIPE, recipe_to_toml(recipe).encode(), "the recipe")
        write_file(self.path / _EVIDENCE, to_json(evidence, Evidence).encode(), "the evidence")
        write_file(self.path / _MANIFEST, to_json(manifest, RunManifest).encode(), "the run")

    def manifest(self) -> RunManifest:
        file = self.path / _MANIFEST
        return from_json(self._text(_MANIFEST), RunManifest, f'"{file}"', recipe_from_plain)

    def recipe(self) -> Recipe:
        return recipe_from_toml(self._text(_RECIPE), str(self.path / _RECIPE))

    def evidence(self) -> Evidence:
        file = self.path / _EVIDENCE
        return from_json(self._text(_EVIDENCE), Evidence, f'"{file}"', recipe_from_plain)

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f'the run "{self.path}" is not whole: {name} cannot be read') from error


def is_run(path: Path) -> bool:
    """True when the directory holds a run that was written whole."""
    return (path / _MANIFEST).is_file()


def runs_in(runs: Path) -> tuple[RunDirectory, ...]:
    """The runs of ``NAME-runs`` that were written whole, by number."""
    if not runs.is_dir():
        return ()
    numbers = sorted(int(each.name) for each in runs.iterdir() if each.name.isdecimal() and is_run(each))
    return tuple(RunDirectory(runs / str(number)) for number in numbers)


def run_at(said: str | Path, base: Path | None = None) -> RunDirectory:
    """The run that a user named: its directory; its number below ``NAME-runs`` (``7``, ``runs/7``), where only one table
    below `base` (default: the working directory) has runs; or ``NAME-runs`` for its last. Raises UserError."""
    base = base or Path()
    path = base / said
    if is_run(path):
        return RunDirectory(path)
    if inside := runs_in(path):
        return inside[-1]
    parts = Path(said).parts
    if parts and parts[-1].isdecimal() and parts[:-1] in {(), ("runs",)}:
        found = [each / parts[-1] for each in sorted(base.glob("*-runs")) if is_run(each / parts[-1])]
        if len(found) == 1:
            return RunDirectory(found[0])
        if found:
            listed = ", ".join(f'"{each}"' for each in found)
            raise UserError(f'"{said}" could be {listed}; name one of them')
    known = [f'"{each.path}"' for runs in sorted(base.glob("*-runs")) for each in runs_in(runs)[-3:]]
    there = f"; there are {', '.join(known)}" if known else ""
    if path.exists():
        raise UserError(f'"{said}" is no run: a directory with a {_MANIFEST} was required{there}')
    raise UserError(f'there is no run "{said}"{there}')
