"""The contact sheets of a report: labels that are doubted, the same picture again."""

import numpy as np
import pytest
from picture_cases import bars

from liebig.coach.picture_explanations import near_duplicates, suspect_labels
from liebig.data.pictures.task import picture_task


@pytest.fixture(scope="module")
def found():
    pixels, labels = bars(120, side=16, classes=3)
    return picture_task((pixels, labels))


def answers(task, rows, wrong=(), sure=0.9, seed=0):
    """Probabilities of a good network: `sure` of the true class, a little noise; `wrong` rows carry another label."""
    truth = task.target[rows].astype(int)
    truth = np.where(np.isin(rows, wrong), (truth + 1) % 3, truth)
    shares = np.full((len(rows), 3), (1 - sure) / 2)
    shares[np.arange(len(rows)), truth] = sure
    shares += np.random.default_rng(seed).uniform(0, 0.05, shares.shape)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)


def doubted_by_the_paper(shares, labels):
    """Confident joint of the paper, counted entry by entry: its off-diagonal examples, the largest margin first."""
    classes = shares.shape[1]
    sureness = [np.mean([shares[i, j] for i in range(len(labels)) if labels[i] == j]) for j in range(classes)]
    found = []
    for i, label in enumerate(labels):
        confident = [j for j in range(classes) if shares[i, j] >= sureness[j]]
        if not confident:
            continue
        likeliest = max(confident, key=lambda j: shares[i, j])
        if likeliest != label and shares[i, likeliest] > shares[i, label]:
            found.append((shares[i, likeliest] - shares[i, label], i, likeliest))
    return [(i, j) for _, i, j in sorted(found, reverse=True)]


def test_labels_are_doubted_as_confident_learning_does(found):
    task, rows = found.task, found.task.parts.work
    wrong = rows[5:60:9]
    shares = answers(task, rows, wrong)
    told = suspect_labels(task, [(rows, shares)])
    expected = doubted_by_the_paper(shares.astype(float), task.target[rows].astype(int))
    assert told.names == tuple(task.data.names[rows[i]] for i, _ in expected)
    assert told.rather == tuple(task.classes[j] for _, j in expected)
    assert set(told.names) <= {task.data.names[row] for row in wrong}
    assert len(told.names) >= 3
    assert told.asked == len(rows)
    assert 0.8 < told.agreed < 1
    assert all(0 < each <= 1 for each in told.margins)


def test_several_blocks_are_asked_together_and_none_without_a_doubt(found):
    task, rows = found.task, found.task.parts.work
    wrong = rows[[3]]
    parts = [(half, answers(task, half, wrong, seed=seed)) for seed, half in enumerate((rows[:60], rows[40:]))]
    told = suspect_labels(task, parts)
    assert told.asked == len(rows)
    assert told.names == (task.data.names[wrong[0]],)
    assert suspect_labels(task, [(rows, answers(task, rows))]) is None
    assert suspect_labels(task, [(rows[:20], answers(task, rows[:20], wrong))]) is None
    assert suspect_labels(task, []) is None


def test_a_network_that_is_sure_and_wrong_doubts_nothing(found):
    task, rows = found.task, found.task.parts.work
    assert suspect_labels(task, [(rows, answers(task, rows, rows[::3]))]) is not None
    assert suspect_labels(task, [(rows, answers(task, rows, rows[np.arange(len(rows)) % 5 > 1]))]) is None


def test_two_classes_have_one_probability():
    pixels, labels = bars(80, side=16)
    task = picture_task((pixels, labels)).task
    rows = task.parts.work
    second = np.where(task.target[rows] > 0.5, 0.9, 0.1).astype(np.float32)
    second[2] = 1 - second[2]
    told = suspect_labels(task, [(rows, second)])
    assert told.names == (task.data.names[rows[2]],)
    assert told.labels != told.rather


def test_copies_with_other_labels_come_first():
    pixels, labels = bars(90, side=32, classes=3)
    more = pixels[[4, 4, 10, 20]]
    other = np.array([labels[4], labels[4], (labels[10] + 1) % 3, labels[20]])
    task = picture_task((np.concatenate([pixels, more]), np.concatenate([labels, other]))).task
    told = near_duplicates(task, is_opened=True)
    assert (told.groups, told.contradicting) == (3, 1)
    assert len(set(told.labels[0])) == 2
    assert {len(each) for each in told.names} == {2, 3}
    assert [len(each) for each in told.pictures] == [len(each) for each in told.names]
    sealed = {task.data.names[row] for row in task.parts.sealed}
    closed = near_duplicates(task, is_opened=False)
    shown = set() if closed is None else {name for group in closed.names for name in group}
    assert not shown & sealed


def test_a_test_part_of_ones_own_shows_which_copy_is_its():
    pixels, labels = bars(60, side=32)
    task = picture_task((pixels, labels), test=(pixels[:6].copy(), labels[:6])).task
    told = near_duplicates(task, is_opened=True)
    assert told.groups == 6
    assert all(sorted(each) == [False, True] for each in told.tested)
    assert near_duplicates(task, is_opened=False) is None


def test_of_a_large_group_each_label_is_shown():
    pixels, labels = bars(60, side=32)
    copies = np.repeat(pixels[:1], 9, axis=0)
    other = np.array([labels[0]] * 8 + [1 - labels[0]])
    task = picture_task((np.concatenate([pixels, copies]), np.concatenate([labels, other]))).task
    (shown,) = near_duplicates(task, is_opened=True).labels
    assert len(shown) == 6
    assert len(set(shown)) == 2


def test_pictures_that_differ_have_no_sheet(found):
    assert near_duplicates(found.task, is_opened=True) is None
