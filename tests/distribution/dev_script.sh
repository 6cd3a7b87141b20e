#!/bin/sh
# The paths of ./dev that a machine with everything installed never takes, with stand-ins for the
# programs that it asks. Nothing is installed and nothing is built.
set -eu
# The run that this test is part of may have been told what this one must not know.
unset LVSA_PRESET LVSA_JOBS CXX

here=$(pwd)
project="$here/a project"
fake="$here/fake"
mkdir -p "$project" "$fake"
cp "$LVSA_SOURCE_DIR/dev" "$project/dev"

# stand_in NAME: makes a program of the lines on standard input; it also logs its calls.
stand_in() {
  {
    echo '#!/bin/sh'
    echo "echo \"$1 \$*\" >>'$here/calls'"
    cat
  } >"$fake/$1"
  chmod +x "$fake/$1"
}

# Only what the script needs, so that no compiler and no sudo is on PATH.
for tool in sh env sed cat tail head mktemp rm nproc dirname basename sleep id; do
  ln -s "$(command -v "$tool")" "$fake/$tool"
done
rm "$fake/id"

dev() {
  : >"$here/calls"
  code=0
  PATH="$fake" LVSA_RETRY_SECONDS=0 "$project/dev" "$@" >"$here/out" 2>&1 || code=$?
}

failures=0
check() { # check DESCRIPTION COMMAND...
  description=$1
  shift
  if "$@"; then
    echo "ok      $description"
  else
    echo "FAILED  $description"
    sed 's/^/        /' "$here/out"
    failures=$((failures + 1))
  fi
}
printed() { grep -qF -- "$1" "$here/out"; }
called() { grep -qF -- "$1" "$here/calls"; }
not() { ! "$@"; }

dev nonsense
check 'an unknown command is bad usage' [ "$code" -eq 2 ]
check 'and is named' printed "no command 'nonsense'"
dev format --nonsense
check 'so is an unknown option' [ "$code" -eq 2 ]
dev help
check 'help is no error' [ "$code" -eq 0 ]

echo 'exit 1' | stand_in dpkg-query
echo 'echo 1000' | stand_in id
dev verify
check 'not root and no sudo: set-up not possible' [ "$code" -eq 2 ]
check 'the list of packages is printed' printed 'librapidcheck-dev'
check 'with the command to install them' printed 'apt-get install -y --no-install-recommends g++'

echo 'exit 1' | stand_in sudo
echo 'exit 0' | stand_in apt-get
if ! (: </dev/tty) 2>/dev/null; then
  dev test
  check 'sudo without a terminal is not left waiting' [ "$code" -eq 2 ]
  check 'and says why' printed 'no terminal to ask for the password'
fi
rm "$fake/sudo"

echo 'echo 0' | stand_in id
echo 'case "$*" in *install*) exit 100 ;; esac' | stand_in apt-get
dev verify
check 'apt-get that keeps failing: set-up not possible' [ "$code" -eq 2 ]
check 'after a second try' printed 'trying once more'
check 'with new package lists' called ' update'
check 'apt-get asks nothing' called '-q -y'

# The first installation fails, the second one works: the packages are there from then on.
stand_in apt-get <<END
case "\$*" in
  *install*) if [ -e '$here/failed' ]; then : >'$here/installed'; else : >'$here/failed'; exit 100; fi ;;
esac
END
echo "[ -e '$here/installed' ] && echo installed" | stand_in dpkg-query
echo 'exit 1' | stand_in cmake
mkdir -p "$project/build"
printf 'CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n' >"$project/build/CMakeCache.txt"
dev test
check 'a network that comes back is enough' not printed 'could not be installed'
check 'a build folder of other sources is removed' [ ! -e "$project/build/CMakeCache.txt" ]
check 'and that is said' printed 'it was made for the sources in /elsewhere'
check 'CMake is called with the preset' called 'cmake --preset release'
check 'a failed configuration is told' printed 'configuring with preset'

echo 'exit 0' | stand_in cmake
echo 'exit 1' | stand_in ctest
dev test
check 'no test run is no success' [ "$code" -eq 1 ]
check 'and the last line counts it' [ "$(tail -n 1 "$here/out")" = '0 passed, 1 failed' ]

# ctest's report: 6 tests, 1 failed, 2 skipped.
stand_in ctest <<END
printf '<testsuite name="x"\n\ttests="6"\n\tfailures="1"\n\tdisabled="0"\n\tskipped="2"\n' \
  >'$project/build/test-report.xml'
exit 8
END
mkdir -p "$project/build"
dev test
check 'a failed test fails the command' [ "$code" -eq 1 ]
check 'the last line counts the tests' \
  [ "$(tail -n 1 "$here/out")" = '3 passed, 1 failed, 2 skipped' ]

[ "$failures" -eq 0 ]
