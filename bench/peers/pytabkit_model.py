"""RealMLP or TabM with their tuned defaults (pytabkit), stopped at the budget: PEER_MODEL is `RealMLP_TD` or `TabM_D`."""

import os

import pytabkit
from common import answer, as_categories, asked

it = asked()
train, test = as_categories(it.inputs, it.questions)
kind = getattr(pytabkit, f"{os.environ['PEER_MODEL']}_{'Regressor' if it.is_regression else 'Classifier'}")
model = kind(device="cpu", n_threads=2, random_state=0, verbosity=0)
model.fit(train, it.labels.to_numpy(), time_to_fit_in_seconds=it.seconds_left())
if it.is_regression:
    answer(it, lambda: model.predict(test), [])
else:
    answer(it, lambda: model.predict_proba(test), [str(each) for each in model.classes_])
