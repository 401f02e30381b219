"""What might help? One remedy in each file; `ALL` names them, `ranking` puts their proposals in order."""

from typing import Final

from liebig.core.remedy import Remedy
from liebig.remedies.align_labels import AlignLabels
from liebig.remedies.align_shapes import AlignShapes
from liebig.remedies.attend_to_steps import AttendToSteps
from liebig.remedies.augment_at_random import AugmentAtRandom
from liebig.remedies.augment_sequences import AugmentSequences
from liebig.remedies.average_weights import AverageWeights
from liebig.remedies.balance_batches import BalanceBatches
from liebig.remedies.batch_and_rate import BatchAndRate
from liebig.remedies.batch_normalisation import NormaliseByBatch
from liebig.remedies.blank_squares import BlankSquares
from liebig.remedies.calibrate_variance import CalibrateVariance
from liebig.remedies.clear_gradients import ClearGradients
from liebig.remedies.clip_gradients import ClipGradients
from liebig.remedies.collect_more_rows import CollectMoreRows
from liebig.remedies.cosine_schedule import CosineSchedule
from liebig.remedies.crop_pictures import CropPictures
from liebig.remedies.cut_and_mix import CutAndMix
from liebig.remedies.deeper import Deeper
from liebig.remedies.detach_history import DetachHistory
from liebig.remedies.drop_bad_features import DropBadFeatures
from liebig.remedies.evaluate_in_eval_mode import EvaluateInEvalMode
from liebig.remedies.faster_settings import FasterSettings
from liebig.remedies.feed_faster import FeedFaster
from liebig.remedies.fewer_layers import FewerLayers
from liebig.remedies.gelu_activation import UseGELU
from liebig.remedies.go_step_by_step import GoStepByStep
from liebig.remedies.hide_the_future import HideTheFuture
from liebig.remedies.higher_rate import HigherRate
from liebig.remedies.huber_loss import HuberLoss
from liebig.remedies.initialise_for_activation import InitialiseForActivation
from liebig.remedies.insert_activation import InsertActivations
from liebig.remedies.jitter_colours import JitterColours
from liebig.remedies.keep_best_epoch import KeepBestEpoch
from liebig.remedies.keep_memory import KeepMemory
from liebig.remedies.larger_batches import LargerBatches
from liebig.remedies.layer_normalisation import NormaliseByLayer
from liebig.remedies.leaky_activation import LeakUnits
from liebig.remedies.learned_categories import LearnCategories
from liebig.remedies.less_dropout import LessDropout
from liebig.remedies.less_regularisation import LessRegularisation
from liebig.remedies.log_less_often import LogLessOften
from liebig.remedies.log_target import LogOfTarget
from liebig.remedies.longer import Longer
from liebig.remedies.lower_rate import LowerRate
from liebig.remedies.mask_the_future import MaskTheFuture
from liebig.remedies.match_loss import MatchLoss
from liebig.remedies.mend_labels import MendLabels
from liebig.remedies.mend_pictures import MendPictures
from liebig.remedies.mirror_pictures import MirrorPictures
from liebig.remedies.mix_rows import MixRows
from liebig.remedies.more_dropout import MoreDropout
from liebig.remedies.more_weight_decay import MoreWeightDecay
from liebig.remedies.no_batch_normalisation import NoBatchNormalisation
from liebig.remedies.noise_on_features import NoiseOnFeatures
from liebig.remedies.normalise_inputs import NormaliseInputs
from liebig.remedies.one_cycle import OneCycleSchedule
from liebig.remedies.packed_ensemble import PackEnsemble
from liebig.remedies.pass_layers_by import PassLayersBy
from liebig.remedies.periodic_embeddings import PeriodicEmbeddings
from liebig.remedies.piecewise_linear_numbers import PiecewiseLinearNumbers
from liebig.remedies.pretrain_network import PretrainNetwork
from liebig.remedies.quantile_inputs import QuantileInputs
from liebig.remedies.range_for_activation import RangeForActivation
from liebig.remedies.range_test_rate import RangeTestRate
from liebig.remedies.reduce_on_plateau import ReduceOnPlateau
from liebig.remedies.residual_connections import ConnectResidually
from liebig.remedies.robust_inputs import RobustInputs
from liebig.remedies.robust_loss import RobustLoss
from liebig.remedies.scale_each_sequence import ScaleEachSequence
from liebig.remedies.seed_ensemble import EnsembleOfSeeds
from liebig.remedies.shorter import Shorter
from liebig.remedies.smaller_batches import SmallerBatches
from liebig.remedies.smaller_network import SmallerNetwork
from liebig.remedies.smooth_labels import SmoothLabels
from liebig.remedies.split_anew import SplitAnew
from liebig.remedies.standardise_inputs import StandardiseInputs
from liebig.remedies.standardise_target import StandardiseTarget
from liebig.remedies.start_at_base_rate import StartAtBaseRate
from liebig.remedies.stop_early import StopEarly
from liebig.remedies.summarise_sequences import SummariseSequences
from liebig.remedies.tame_activation import TameActivation
from liebig.remedies.target_encoding import TargetEncoding
from liebig.remedies.train_all_parameters import TrainAllParameters
from liebig.remedies.train_in_train_mode import TrainInTrainMode
from liebig.remedies.turn_pictures import TurnPictures
from liebig.remedies.unfreeze_backbone import UnfreezeBackbone
from liebig.remedies.unsquash_activation import UnsquashActivation
from liebig.remedies.use_adamw import UseAdamW
from liebig.remedies.use_convolutions import UseConvolutions
from liebig.remedies.use_momentum import UseMomentum
from liebig.remedies.use_muon import UseMuon
from liebig.remedies.use_temporal_convolutions import UseTemporalConvolutions
from liebig.remedies.warm_up import WarmUp
from liebig.remedies.weaken_augmentation import WeakenAugmentation
from liebig.remedies.weigh_classes import WeighClasses
from liebig.remedies.wide_and_deep import WideAndDeep
from liebig.remedies.wider import Wider

#: Every remedy. Which check it answers, and what to expect of it, is in its own file.
ALL: Final[tuple[Remedy, ...]] = (
    AlignLabels(),
    AlignShapes(),
    AttendToSteps(),
    AugmentAtRandom(),
    AugmentSequences(),
    AverageWeights(),
    BalanceBatches(),
    BatchAndRate(),
    NormaliseByBatch(),
    BlankSquares(),
    CalibrateVariance(),
    ClearGradients(),
    ClipGradients(),
    CollectMoreRows(),
    CosineSchedule(),
    CropPictures(),
    CutAndMix(),
    Deeper(),
    DetachHistory(),
    DropBadFeatures(),
    EvaluateInEvalMode(),
    FasterSettings(),
    FeedFaster(),
    FewerLayers(),
    GoStepByStep(),
    UseGELU(),
    HideTheFuture(),
    HigherRate(),
    HuberLoss(),
    InitialiseForActivation(),
    InsertActivations(),
    KeepBestEpoch(),
    KeepMemory(),
    JitterColours(),
    LargerBatches(),
    NormaliseByLayer(),
    LeakUnits(),
    LearnCategories(),
    LessDropout(),
    LessRegularisation(),
    LogLessOften(),
    LogOfTarget(),
    Longer(),
    LowerRate(),
    MaskTheFuture(),
    MatchLoss(),
    MendLabels(),
    MendPictures(),
    MirrorPictures(),
    MixRows(),
    MoreDropout(),
    MoreWeightDecay(),
    NoBatchNormalisation(),
    NoiseOnFeatures(),
    NormaliseInputs(),
    OneCycleSchedule(),
    PackEnsemble(),
    PassLayersBy(),
    PeriodicEmbeddings(),
    PiecewiseLinearNumbers(),
    PretrainNetwork(),
    QuantileInputs(),
    RangeForActivation(),
    RangeTestRate(),
    ReduceOnPlateau(),
    ConnectResidually(),
    RobustInputs(),
    RobustLoss(),
    ScaleEachSequence(),
    EnsembleOfSeeds(),
    Shorter(),
    SmallerBatches(),
    SmallerNetwork(),
    SmoothLabels(),
    SplitAnew(),
    StandardiseInputs(),
    StandardiseTarget(),
    StartAtBaseRate(),
    StopEarly(),
    SummariseSequences(),
    TameActivation(),
    TargetEncoding(),
    TrainAllParameters(),
    TrainInTrainMode(),
    TurnPictures(),
    UnfreezeBackbone(),
    UnsquashActivation(),
    UseAdamW(),
    UseConvolutions(),
    UseMomentum(),
    UseMuon(),
    UseTemporalConvolutions(),
    WarmUp(),
    WeakenAugmentation(),
    WeighClasses(),
    WideAndDeep(),
    Wider(),
)
