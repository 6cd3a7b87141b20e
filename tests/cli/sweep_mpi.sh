#!/bin/sh
# Two MPI ranks find the same as one process, byte by byte.
set -eu
subcommand=sweep
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

mpirun=$(command -v mpirun) || exit 77
[ -e "$(dirname "$LVSA_VERIFY")/liblvsa_mpi.so" ] || exit 77
# As root, on fewer processors than ranks, and without other machines.
export ASAN_OPTIONS=detect_leaks=0 # of the MPI library
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ranks() {
  count=$1
  shift
  "$mpirun" --oversubscribe --bind-to none -n "$count" "$LVSA_VERIFY" sweep --mpi "$@" </dev/null
}
ranks 1 --help >out 2>err || exit 77 # this machine's mpirun cannot start anything

video='T=9 h=3 w=5 heads=2 D=16 layers=3 seed=1'
axes='--window 1:3 --scale 0.3:0.9:0.3 --rotate 0,1 --patterns-per-unit 4'
# shellcheck disable=SC2086 # axes are words
{
  "$LVSA_VERIFY" sweep --synthetic "$video" $axes --out one >one.out
  ranks 2 --synthetic "$video" $axes --out two >two.out
  sed 's/^files: two/files: one/; s/ two\// one\//g' two.out | cmp - one.out || fail 'another table'
}
for name in sweep.h5 sweep.csv summary.csv; do
  cmp "one/$name" "two/$name" || fail "two ranks: another $name"
done
grep -q '"ranks": "2 over' two/provenance.json || fail 'the provenance does not name the ranks'

# Bad input is said once, and all ranks end.
code=0
ranks 2 --synthetic 'T=0' --out bad >out 2>err || code=$?
[ "$code" -eq 2 ] || fail "bad input: exit code $code: $(cat err)"
[ "$(grep -c '^lvsa-verify: ' err)" -eq 1 ] || fail "bad input: not one line: $(cat err)"
all_good
