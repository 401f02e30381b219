"""FLAML's AutoML, stopped at the budget."""

from common import answer, as_categories, asked
from flaml import AutoML

it = asked()
train, test = as_categories(it.inputs, it.questions)
metric = {"roc_auc": "roc_auc", "accuracy": "accuracy", "rmse": "rmse"}[it.metric]
model = AutoML()
model.fit(
    train, it.labels, task="regression" if it.is_regression else "classification", metric=metric,
    time_budget=it.seconds_left(), n_jobs=2, verbose=0, seed=0,
)  # fmt: skip
if it.is_regression:
    answer(it, lambda: model.predict(test), [])
else:
    answer(it, lambda: model.predict_proba(test), [str(each) for each in model.classes_])
