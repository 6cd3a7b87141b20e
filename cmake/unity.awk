# Which source files may be compiled as one: prints `GROUP FILE` for each of the files named, in their order.
#
#     awk -v most=8 -f unity.awk FILE...
#
# Files share a group of at most `most` only where no name that is local to one (declared in an unnamed namespace, static,
# constexpr, brought in by using, or a macro) stands in another, unless behind `.`, `->` or `::`. So each means
# what it means alone. A name of a function counts where it is called. It reads the layout that .clang-format makes: what
# a namespace holds is not indented. Files that change what is around them (pragmas, using namespace,
# unscoped enumerations), and those that change with every commit, stay alone.

function local(name) {
  if (name !~ /^[A-Z_0-9]+\(?$/ && name !~ /^(operator|if|for|while|return|const|noexcept|namespace)\(?$/)
    locals[FILENAME] = locals[FILENAME] " " name
}

# The names that a line at the margin declares: those before one of ({=[; and those of types.
function declared(line,    name, mark) {
  while (match(line, /(struct|class|enum|union)[ ]+[A-Za-z_][A-Za-z0-9_]*/)) {
    name = substr(line, RSTART, RLENGTH)
    line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
    sub(/^.*[ ]/, "", name)
    local(name)
  }
  while (match(line, /[A-Za-z_][A-Za-z0-9_]*[ ]*[({=[;]/)) {
    name = substr(line, RSTART, RLENGTH)
    line = substr(line, RSTART + RLENGTH)
    mark = substr(name, length(name))
    sub(/[ ]*.$/, "", name)
    local(name (mark == "(" ? "(" : ""))
  }
}

FNR == 1 { order[++files] = FILENAME; unnamed = 0; locals[FILENAME] = "" }
/^namespace \{/ { unnamed = 1; next }
/^\}  \/\/ namespace$/ { unnamed = 0; next }
/^[ ]*#[ ]*pragma/ && !/pragma (once|omp|GCC unroll|GCC ivdep)/ { alone[FILENAME] = 1 }
/^using namespace/ || /^enum [A-Za-z_0-9]*[^A-Za-z_0-9]*[:{]/ || /^#include "core\/version.hpp"/ { alone[FILENAME] = 1 }
/^[ ]*#[ ]*include/ { next }
{
  gsub(/"([^"\\]|\\.)*"/, "\"\"")
  sub(/\/\/.*/, "")
}
/^[ ]*#[ ]*define/ {
  name = $0
  sub(/^[ ]*#[ ]*define[ ]+/, "", name)
  sub(/[^A-Za-z0-9_].*/, "", name)
  locals[FILENAME] = locals[FILENAME] " " name
}
/^[A-Za-z_[]/ && !/^namespace/ && (unnamed || /^(static|constexpr|inline constexpr|const|using) /) { declared($0) }
{
  gsub(/(\.|->|::)[ ]*[A-Za-z_][A-Za-z0-9_]*/, " ")
  gsub(/[ ]*[(<]/, "( ")
  gsub(/[^A-Za-z0-9_(]+/, " ")
  count = split($0, words, " ")
  for (i = 1; i <= count; i++) {
    word = words[i]
    if ((FILENAME, word) in seen) continue
    seen[FILENAME, word] = 1
    texts[FILENAME] = texts[FILENAME] " " word
    if (sub(/\($/, "", word) && word != "" && !((FILENAME, word) in seen)) {
      seen[FILENAME, word] = 1
      texts[FILENAME] = texts[FILENAME] " " word
    }
  }
}

# Whether FILE may join group G.
function fits(file, g,    i) {
  if (size[g] >= most) return 0
  for (i = 1; i <= own_count; i++) if ((g, own[i]) in has) return 0
  for (i = 1; i <= text_count; i++) if ((g, text[i]) in keeps) return 0
  return 1
}

END {
  for (f = 1; f <= files; f++) {
    file = order[f]
    own_count = split(locals[file], own, " ")
    text_count = split(texts[file], text, " ")
    g = groups + 1
    if (!(file in alone)) for (g = 1; g <= groups && (closed[g] || !fits(file, g)); g++);
    if (g > groups) groups = g
    closed[g] = file in alone
    size[g]++
    for (i = 1; i <= own_count; i++) keeps[g, own[i]] = 1
    for (i = 1; i <= text_count; i++) has[g, text[i]] = 1
    print g, file
  }
}
