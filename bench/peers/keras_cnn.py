"""The CNN of Keras' own tutorials with their callbacks: early stopping that restores the best weights, and a rate that falls on a
plateau; rescaling, random flips (not of grey pictures) and rotations as layers; a tenth of the pictures to watch."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from picture_parts import asked

it = asked()
keras.utils.set_random_seed(0)


class UntilTheTimeIsOver(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if it.seconds_left() <= 0:
            self.model.stop_training = True


def network() -> keras.Model:
    shape = it.x_train.shape[1:]
    flips = [keras.layers.RandomFlip("horizontal")] if shape[2] == 3 else []
    return keras.Sequential([
        keras.Input(shape), keras.layers.Rescaling(1 / 255), *flips, keras.layers.RandomRotation(0.05),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(64, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(128, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D(),
        keras.layers.Flatten(), keras.layers.Dropout(0.5), keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(it.classes, activation="softmax"),
    ])  # fmt: skip


order = np.random.default_rng(0).permutation(len(it.x_train))
cut = len(order) // 10
x, y = it.x_train.astype("float32"), it.y_train
model = network()
model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
model.fit(
    x[order[cut:]], y[order[cut:]], batch_size=32, epochs=1000, verbose=0,
    validation_data=(x[order[:cut]], y[order[:cut]]),
    callbacks=[
        keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True, start_from_epoch=5),
        keras.callbacks.ReduceLROnPlateau(patience=6, factor=0.3), UntilTheTimeIsOver(),
    ],
)  # fmt: skip
it.answer(model.predict(it.x_test.astype("float32"), verbose=0))
