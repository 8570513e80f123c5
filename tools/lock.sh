#!/bin/sh
# Writes the lock files: every package with its version and the digests of its files, for Python 3.11 and later.
# runtime.lock is enough to run the portal, test.lock adds what the tests need, dev.lock the linters; each contains the
# one before with the same versions. `sh tools/lock.sh` keeps pinned versions that still fit, `--upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."
UV=${UV:-.venv/bin/uv}
compile() {
    target=$1
    shift
    echo "locking $target"
    "$UV" pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-package pip \
        --no-emit-package setuptools --annotation-style line --output-file "requirements/$target.lock" "$@" >/dev/null
}
echo "locking build"
"$UV" pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line \
    --output-file requirements/build.lock "$@" requirements/build.in >/dev/null
# The largest set is solved first and the smaller ones take its versions: a package of the tests may want an older one.
compile dev "$@" -c requirements/build.lock --extra test --extra dev setup.cfg
compile test "$@" -c requirements/build.lock -c requirements/dev.lock --extra test setup.cfg
compile runtime "$@" -c requirements/build.lock -c requirements/test.lock setup.cfg
