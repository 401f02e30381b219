"""AutoGluon's best quality, stopped at the budget; with `networks` in its environment variable its networks alone."""

import os
import tempfile

from autogluon.tabular import TabularPredictor
from common import answer, asked

it = asked()
networks = {"NN_TORCH": {}, "FASTAI": {}} if os.environ.get("PEER_NETWORKS") else None
metric = {"roc_auc": "roc_auc", "accuracy": "accuracy", "rmse": "rmse"}[it.metric]
train = it.inputs.assign(**{it.target: it.labels})
with tempfile.TemporaryDirectory() as folder:
    model = TabularPredictor(it.target, problem_type=it.task, eval_metric=metric, path=folder, verbosity=0)
    model.fit(
        train, presets="best_quality", time_limit=it.seconds_left(), num_cpus=2, hyperparameters=networks,
        dynamic_stacking=False,
    )  # fmt: skip
    if it.is_regression:
        answer(it, lambda: model.predict(it.questions).to_numpy(), [])
    else:
        classes = [str(each) for each in model.class_labels]
        answer(it, lambda: model.predict_proba(it.questions)[model.class_labels].to_numpy(), classes)
