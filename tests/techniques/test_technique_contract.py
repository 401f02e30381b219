"""What every technique promises, whoever wrote it."""

import annotated_types
import pytest
import torch
from pydantic import ValidationError
from technique_cases import ground, only, weight_list

from liebig.core.card import TECHNIQUE_SECTIONS, card_of
from liebig.core.settings import Settings
from liebig.recipes.cards import AREAS
from liebig.recipes.slots import PICTURES, SEQUENCES, SLOTS, TECHNIQUES, kind_of
from liebig.recipes.words import fields_of, is_stackable
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws

EVERY = list(dict.fromkeys(each for area in AREAS for each in area.members))


def names(kinds):
    return [kind.__module__.removeprefix("liebig.") for kind in kinds]


@pytest.fixture(params=EVERY, ids=names(EVERY))
def kind(request):
    return request.param


def test_the_card_has_all_sections(kind):
    card = card_of(kind_of(kind), kind)
    assert card.title
    for section in TECHNIQUE_SECTIONS:
        assert card.sections.get(section, "").strip(), f"{kind.__module__} lacks {section}"


def test_the_default_stands_alone_and_is_frozen(kind):
    record = kind()
    assert record.kind == kind_of(kind)
    with pytest.raises(ValidationError):
        record.kind = "other"
    assert kind.model_validate(record.model_dump(mode="json")) == record
    assert kind.model_validate_json(record.model_dump_json()) == record


def test_unknown_fields_are_refused(kind):
    with pytest.raises(ValidationError):
        kind(a_field_that_is_not_there=1)


def outside(mark):
    match mark:
        case annotated_types.Ge(ge=low):
            return low - 1
        case annotated_types.Gt(gt=low):
            return low
        case annotated_types.Le(le=high):
            return high + 1
        case annotated_types.Lt(lt=high):
            return high
    return None


def test_bounds_refuse(kind):
    for name, field in fields_of(kind):
        for value in [value for mark in field.metadata if (value := outside(mark)) is not None]:
            with pytest.raises(ValidationError):
                kind(**{name: value})
        if field.annotation in (int, float):
            for value in (float("nan"), float("inf"), -float("inf"), "many"):
                with pytest.raises(ValidationError):
                    kind(**{name: value})
            assert [mark for mark in field.metadata if outside(mark) is not None], (
                f"{kind.__name__}.{name} has no bounds"
            )


def test_only_numbers_are_stackable_and_leave_the_skeleton(kind):
    record = kind()
    stacked = {name for name, field in fields_of(kind) if is_stackable(field)}
    assert all(isinstance(getattr(record, name), float) for name in stacked)
    assert not stacked & set(record.skeleton())


def test_kinds_are_kebab_case_and_one_in_a_slot():
    for kinds in SLOTS.values():
        spelled = [kind_of(each) for each in kinds]
        assert len(set(spelled)) == len(spelled)
        assert all(each == each.lower() and "_" not in each and " " not in each for each in spelled)


def test_equal_zeros_are_equal_records():
    assert str(kind_with_decay(-0.0)) == str(kind_with_decay(0.0))


def kind_with_decay(decay):
    return SLOTS["optimizer"][0](weight_decay=decay)


@pytest.mark.parametrize("kind", TECHNIQUES, ids=names(TECHNIQUES))
def test_a_stage_and_its_state_survive_members_leaving(kind):
    """The whole life of a technique: two members leave a stack of three; the one left goes on as if alone from the start."""
    seeds = (5, 6, 7)

    def life(stage, members, leaving):
        weights = [each[members].clone() for each in weight_list(3)]
        state = stage.start(weights)
        for step in range(8):
            if step == 4 and leaving:
                stage, state, weights, members = only(stage, 2), only(state, 2), only(weights, 2), [members[2]]
            draws = Draws(tuple(seeds[k] for k in members), step, torch.device("cpu"))
            row = (3, 5, 5) if kind in PICTURES else (7, 3) if kind in SEQUENCES else (4,)
            rows = torch.randn(1, 6, *row, generator=torch.Generator().manual_seed(step))
            if kind in SEQUENCES:
                rows[..., -1] = 1.0  # where a step is
            group = torch.zeros(len(members), dtype=torch.int64)
            batch = stage.on_batch(Batch(rows, torch.zeros(1, 6), member_group=group), draws)
            shift = batch.dense.flatten(1).mean(1) if len(batch.dense) == len(members) else batch.dense.mean()
            gradients = stage.on_gradients([each * 3 + step for each in weights])
            penalty = stage.on_loss(weights)
            extra = penalty if penalty is not None else torch.zeros(len(members))
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(0.01 * gradient).add_((0.01 * (shift + extra)).view(-1, *(1,) * (weight.ndim - 1)))
            state = stage.after_step(weights, state, step)
            if step % 4 == 3:
                state = stage.after_epoch(weights, state, step // 4)
        return [
            *stage.eval_weights(weights, state),
            *(each for kept in stage.answer_weights(weights, state) for each in kept),
        ]

    records, on = [kind()] * 3, ground(epochs=5, steps_per_epoch=4)
    alone = life(kind.stage(records[:1], on), [2], leaving=False)
    for last in (life(kind.stage(records, on), [0, 1, 2], False), life(kind.stage(records, on), [0, 1, 2], True)):
        for together, single in zip(last, alone, strict=True):
            torch.testing.assert_close(together[-1], single[0])


def test_every_record_of_a_slot_is_settings():
    assert all(issubclass(each, Settings) for kinds in SLOTS.values() for each in kinds)
