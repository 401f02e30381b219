"""KerasTuner's random search over the tutorial's CNN: filters, blocks, dense units, dropout, rate; each trial with early stopping. The
best trial's model answers."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import keras_tuner
import numpy as np
from picture_parts import asked

it = asked()
keras.utils.set_random_seed(0)


class UntilTheTimeIsOver(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if it.seconds_left() <= 0:
            self.model.stop_training = True


def network(hp: keras_tuner.HyperParameters) -> keras.Model:
    shape = it.x_train.shape[1:]
    layers = [keras.Input(shape), keras.layers.Rescaling(1 / 255)]
    if shape[2] == 3:
        layers.append(keras.layers.RandomFlip("horizontal"))
    layers.append(keras.layers.RandomRotation(0.05))
    width = hp.Choice("filters", [16, 32, 64])
    for block in range(hp.Int("blocks", 2, 4)):
        layers += [
            keras.layers.Conv2D(width * 2**block, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
        ]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(hp.Float("dropout", 0.0, 0.6, step=0.2))]
    layers += [keras.layers.Dense(hp.Choice("units", [64, 128, 256]), activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(it.classes, activation="softmax")])
    rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    return model


order = np.random.default_rng(0).permutation(len(it.x_train))
cut = len(order) // 10
x, y = it.x_train.astype("float32"), it.y_train
watched = (x[order[:cut]], y[order[:cut]])
with tempfile.TemporaryDirectory() as folder:
    tuner = keras_tuner.RandomSearch(
        network, objective="val_accuracy", max_trials=1000, directory=folder, seed=0, overwrite=True
    )
    while it.seconds_left() > 0.02 * it.budget:
        tuner.oracle.max_trials = len(tuner.oracle.trials) + 1
        tuner.search(
            x[order[cut:]], y[order[cut:]], batch_size=64, epochs=30, verbose=0, validation_data=watched,
            callbacks=[keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True), UntilTheTimeIsOver()],
        )  # fmt: skip
    (model,) = tuner.get_best_models(1)
    it.answer(model.predict(it.x_test.astype("float32"), verbose=0))
