"""What is handed over: a model that predicts, and can be saved and loaded."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from torch import nn

from liebig.api.combining import combination_of, is_combination, network_of, parts_of
from liebig.api.module_model import ModuleModel, is_module_model, loaded
from liebig.api.picture_answers import answered_pictures, picture_shape, predict_pictures
from liebig.api.sequence_answers import answered_sequences, predict_sequences, sequences_like
from liebig.core.arrays import Predictions
from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.errors import UserError
from liebig.core.metric import predicted_classes
from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind
from liebig.data.table.reading import read_table
from liebig.store.ledger import is_study
from liebig.store.model import ModelFacts, is_model, load_model, save_model
from liebig.store.predict import AnswerColumns, predict_file
from liebig.store.runs import run_at
from liebig.train.combination import Combination
from liebig.train.fitted import Fitted


class Model:
    """A trained model: the recipe, the encoders and the weights of the networks that answer together; or several such and
    classical algorithms, each with its share of the answer."""

    def __init__(self, fitted: Fitted | Combination, facts: ModelFacts) -> None:
        self._fitted, self.facts = fitted, facts

    @property
    def recipe(self) -> Recipe:
        """How it was trained; where several answer together, the first network among them. Raises UserError where no network
        is."""
        if isinstance(self._fitted, Fitted):
            return self._fitted.recipe
        networks = self._fitted.networks
        if not networks:
            raise UserError("this model has no recipe: only classical algorithms answer in it")
        return networks[0].recipe

    @property
    def members(self) -> Mapping[str, float]:
        """Who answers, with the share of the answer: recipes by digest, classical algorithms by name."""
        if isinstance(self._fitted, Fitted):
            return {self._fitted.recipe.digest: 1.0}
        names = [each.recipe.digest if isinstance(each, Fitted) else each.name for each in self._fitted.members]
        return dict(zip(names, self._fitted.weights, strict=True))

    @property
    def decision(self) -> Decision:
        """How its answers are read: at which temperature, and from which probability on a class is named (`decision.threshold`, of
        two classes)."""
        return self._fitted.decision if isinstance(self._fitted, Combination) else AS_THEY_COME

    @property
    def _columns(self) -> AnswerColumns:
        return AnswerColumns(self.facts.kind, self.facts.classes, self.decision)

    @property
    def classes_(self) -> NDArray[np.str_]:
        """Names of the classes, in the order of the columns of `predict_proba`. Empty for numbers."""
        return np.array(self.facts.classes, dtype=np.str_)

    def _answers(self, table: object) -> Predictions:
        """Predictions as in `core.arrays.Predictions` for a path or any dataframe, for pictures or sequences."""
        shape = picture_shape(self._fitted)
        if shape is not None:
            return answered_pictures(self._fitted, table, shape).predictions
        like = sequences_like(self._fitted)
        if like is not None:
            return answered_sequences(self._fitted, table, like)[1]
        return self._fitted.predict_frame(read_table(table, least_columns=1).frame)

    def predict(self, table: object) -> NDArray[np.str_] | Predictions:
        """The class of each row, or the number: the most probable class, or the one that `decision` names. `table` is a path or any dataframe; [n]. A model of pictures takes
        a folder, an archive, a file or an array of them; those that cannot be read are left out; one of sequences an array file, a long table or arrays, and of forecasts it answers all steps,
        [n, horizon].

        Raises UserError when a column that the model reads is absent.
        """
        answers = self._answers(table)
        if not self.facts.kind.is_classification:
            return answers
        return self.classes_[predicted_classes(self.decision.naming(answers))]

    def predict_proba(self, table: object) -> Predictions:
        """Probabilities [n, classes], columns in the order of `classes_`. Raises UserError for a model of numbers."""
        if not self.facts.kind.is_classification:
            raise UserError(f"probabilities need a target of classes, however {self.facts.target} is a number")
        answers = self._answers(table)
        return np.stack([1.0 - answers, answers], axis=1) if self.facts.kind is TaskKind.BINARY else answers

    def predict_file(self, table: str, output: str | Path | io.BufferedIOBase) -> int:
        """Predict a file of any size in constant memory; `output` is CSV, TSV or Parquet by its ending. Returns the rows. Pictures
        have a row each, with the name of the file; those that cannot be read have no prediction."""
        shape = picture_shape(self._fitted)
        if shape is not None:
            return predict_pictures(self._fitted, table, shape, output, self._columns)
        like = sequences_like(self._fitted)
        if like is not None:
            return predict_sequences(self._fitted, table, like, output, self._columns)
        place = Path(output) if isinstance(output, str | Path) else output
        return predict_file(table, place, self._fitted.predict_frame, self._columns)

    def save(self, path: str | Path) -> None:
        """Write the model as a directory: manifest, recipe, encoders, safetensors. A model that was there is replaced
        only once the new one is whole. Raises UserError when that is not possible."""
        save_model(Path(path), parts_of(self._fitted, self.facts))

    def __repr__(self) -> str:
        score = f", {self.facts.metric} {self.facts.score:.4g}" if self.facts.score_rows else ""
        return f"<liebig.Model of {self.facts.target} from {self.facts.name}{score}>"


@overload
def load(path: str | Path) -> Model: ...
@overload
def load(path: str | Path, *, build: Callable[[], nn.Module]) -> ModuleModel: ...
def load(path: str | Path, *, build: Callable[[], nn.Module] | None = None) -> Model | ModuleModel:
    """The model in a model directory, a run directory or a study. Only data are read, no code. `build` makes the network
    that the weights are put into, where it is the user's own.

    Raises UserError when there is none.
    """
    place = Path(path)
    if not is_model(place):
        if is_study(place):
            place = place / "model"
        elif (place / "run.json").is_file() or (not place.exists() and not place.is_absolute()):
            place = run_at(path).model_path
    stored = load_model(place)
    if is_module_model(stored):
        return loaded(stored, build)
    if build is not None:
        raise UserError(f'build= is for a network of your own, however "{place}" holds a model of a table')
    return Model(combination_of(stored, place) if is_combination(stored) else network_of(stored), stored.facts)
