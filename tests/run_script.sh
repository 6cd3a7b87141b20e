#!/bin/sh
# Runs the script $2 in the folder $1, made anew.
set -eu
# Threads that spin while they wait would take the cores from what else runs.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
rm -rf -- "$1"
mkdir -p -- "$1"
cd -- "$1"
exec "$2" </dev/null
