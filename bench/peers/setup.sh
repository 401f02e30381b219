#!/bin/sh
# One environment for each peer, under bench/.peers; torch first, so that what follows keeps it.
#     bench/peers/setup.sh [NAME...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for name in ${*:-lightgbm flaml autogluon pytabkit scikit keras}; do
    environment="$here/../.peers/$name"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --upgrade pip
    grep '^torch' "$here/$name.txt" | xargs -r "$environment/bin/pip" install --quiet
    "$environment/bin/pip" install --quiet -r "$here/$name.txt"
done
