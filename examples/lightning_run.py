"""A Lightning run, watched: the callback is all that is added. Its rate is far too high, and the diagnosis says so."""

import torch
from lightning.pytorch import LightningModule, Trainer
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from liebig.watch.adapters.lightning import LightningWatch


class Digits(LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def training_step(self, batch, index):
        pixels, digit = batch
        return cross_entropy(self.net(pixels), digit)

    def validation_step(self, batch, index):
        pixels, digit = batch
        answers = self.net(pixels)
        self.log("val_loss", cross_entropy(answers, digit))
        self.log("val_acc", (answers.argmax(1) == digit).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=3.0)


pixels, digit = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(pixels, dtype=torch.float32) / 16, torch.tensor(digit))
train, valid = torch.utils.data.random_split(data, [1400, 397], torch.Generator().manual_seed(0))

watch = LightningWatch()
trainer = Trainer(max_epochs=5, callbacks=[watch], accelerator="cpu", logger=False, enable_checkpointing=False)
trainer.fit(Digits(), DataLoader(train, batch_size=32, shuffle=True), DataLoader(valid, batch_size=256))
