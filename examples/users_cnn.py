"""A user's own network, improved: a small convolutional network on the digits, as it was, and what Liebig makes of it.

python examples/users_cnn.py
liebig improve examples/users_cnn.py:task --budget 60s
"""

import sys

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

import liebig


def build():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.Sigmoid(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 10),
    )


def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


pixels, digit = load_digits(return_X_y=True)
images = TensorDataset(torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(digit))
task = liebig.module(
    build, train=images, loss=cross_entropy, metric="accuracy", optimizer=optimizer, batch_size=64, epochs=5
)

if __name__ == "__main__":
    study = liebig.improve(task, budget=sys.argv[1] if len(sys.argv) > 1 else "60s", study="users-cnn-study")
    print(study)
