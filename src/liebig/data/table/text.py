"""Free text as numbers: scikit-learn's word counts, hashed or weighted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

from liebig.core.arrays import Reals

#: Inputs of one column of text.
WIDTH = 256


def hashed(text: pl.Series) -> NDArray[np.float32]:
    """Words hashed into WIDTH signed counts of unit length, float32 [rows, WIDTH]; nothing is fitted."""
    vectorizer = HashingVectorizer(n_features=WIDTH, alternate_sign=True, norm="l2", dtype=np.float32)
    return np.asarray(vectorizer.transform(text.to_list()).toarray(), dtype=np.float32)


def fit_words(text: pl.Series) -> tuple[tuple[str, ...], Reals]:
    """The commonest words of training rows and their inverse document frequencies; none when there are no words."""
    vectorizer = TfidfVectorizer(max_features=WIDTH)
    try:
        vectorizer.fit(text.to_list())
    except ValueError:  # scikit-learn's word for "no words"
        return (), np.zeros(0)
    return tuple(str(word) for word in vectorizer.get_feature_names_out()), np.asarray(vectorizer.idf_, np.float64)


def weighted(text: pl.Series, vocabulary: Sequence[str], weights: Reals) -> NDArray[np.float32]:
    """Weighted counts of known words, of unit length, float32 [rows, WIDTH], filled up with zeros."""
    table = np.zeros((len(text), WIDTH), np.float32)
    if vocabulary:
        counts = CountVectorizer(vocabulary=list(vocabulary)).transform(text.to_list())
        table[:, : len(vocabulary)] = normalize(counts.multiply(weights).tocsr(), norm="l2").toarray()
    return table
