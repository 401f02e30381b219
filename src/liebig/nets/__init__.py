"""What computes? Population-shaped networks, one file each; the sum type that a recipe holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.nets.gru import GRU
from liebig.nets.lstm import LSTM
from liebig.nets.mlp import MLP
from liebig.nets.network import NetworkSettings
from liebig.nets.packed import PackedMLP
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.residual_cnn import ResidualCNN
from liebig.nets.resnet import ResNet
from liebig.nets.rnn import RNN
from liebig.nets.small_transformer import SmallTransformer
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.nets.vision_transformer import VisionTransformer
from liebig.nets.whitened_cnn import WhitenedCNN

ALL: Final[tuple[type[NetworkSettings], ...]] = (MLP, PackedMLP)

#: Networks that read pictures.
FOR_PICTURES: Final[tuple[type[NetworkSettings], ...]] = (PlainCNN, WhitenedCNN, ResidualCNN, ResNet, VisionTransformer)

#: Networks that read the steps of sequences.
FOR_SEQUENCES: Final[tuple[type[NetworkSettings], ...]] = (TemporalCNN, LSTM, GRU, RNN, SmallTransformer)

AnyNetwork = Annotated[MLP | PackedMLP, Field(discriminator="kind"), BY_KIND]
