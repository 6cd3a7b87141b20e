# Which source files may be compiled as one: prints `GROUP FILE` for each of the files named, in their order.
#
#     awk -v root=FOLDER -v most=8 -f unity.awk FILE...
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

# The line without comments and without what is in quotes.
function code(line) {
  gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
  sub(/\/\/.*/, "", line)
  return line
}

# The project's header that an #include names, or nothing.
function included(line) {
  return match(line, /"[^"]*"/) ? substr(line, RSTART + 1, RLENGTH - 2) : ""
}

# Notes that FILE says WORD.
function say(file, word) {
  if ((file, word) in seen) return
  seen[file, word] = 1
  texts[file] = texts[file] " " word
}

# Notes the names in a line of code; those that are called with ( behind them too.
function note(file, line,    count, words, i, word) {
  gsub(/(\.|->|::)[ ]*[A-Za-z_][A-Za-z0-9_]*/, " ", line)
  gsub(/[ ]*[(<]/, "( ", line)
  gsub(/[^A-Za-z0-9_(]+/, " ", line)
  count = split(line, words, " ")
  for (i = 1; i <= count; i++) {
    word = words[i]
    say(file, word)
    if (sub(/\($/, "", word) && word != "") say(file, word)
  }
}

# Reads a header, once.
function read_header(header,    line, path) {
  if (header in known) return
  known[header] = 1
  path = root "/" header
  while ((getline line < path) > 0) {
    if (line ~ /^[ ]*#[ ]*include/) includes[header] = includes[header] " " included(line)
    else note(header, code(line))
  }
  close(path)
}

# Puts all headers that FILE includes, and those that they include, into the array headers.
function gather(file,    list, count, i) {
  count = split(includes[file], list, " ")
  for (i = 1; i <= count; i++) {
    if (list[i] in headers) continue
    headers[list[i]] = 1
    read_header(list[i])
    gather(list[i])
  }
}

FNR == 1 { order[++files] = FILENAME; unnamed = 0; locals[FILENAME] = "" }
/^namespace \{/ { unnamed = 1; next }
/^\}  \/\/ namespace$/ { unnamed = 0; next }
/^[ ]*#[ ]*pragma/ && !/pragma (once|omp|GCC unroll|GCC ivdep)/ { alone[FILENAME] = 1 }
/^using namespace/ || /^enum [A-Za-z_0-9]*[^A-Za-z_0-9]*[:{]/ || /^#include "core\/version.hpp"/ { alone[FILENAME] = 1 }
/^[ ]*#[ ]*include/ {
  includes[FILENAME] = includes[FILENAME] " " included($0)
  next
}
{ $0 = code($0) }
/^[ ]*#[ ]*define/ {
  name = $0
  sub(/^[ ]*#[ ]*define[ ]+/, "", name)
  sub(/[^A-Za-z0-9_].*/, "", name)
  locals[FILENAME] = locals[FILENAME] " " name
}
/^[A-Za-z_[]/ && !/^namespace/ && (unnamed || /^(static|constexpr|inline constexpr|const|using) /) { declared($0) }
{ note(FILENAME, $0) }

# Whether the file whose own names, text and headers are at hand may join group G.
function fits(g,    i, h) {
  if (closed[g] || size[g] >= most) return 0
  for (i = 1; i <= own_count; i++) if ((g, own[i]) in has) return 0
  for (i = 1; i <= text_count; i++) if ((g, text[i]) in keeps) return 0
  for (h in headers)
    if (!((g, h) in read_by))
      for (i = 1; i <= names[g]; i++) if ((h, name_of[g, i]) in seen) return 0
  return 1
}

END {
  for (f = 1; f <= files; f++) {
    file = order[f]
    own_count = split(locals[file], own, " ")
    text_count = split(texts[file], text, " ")
    split("", headers)
    gather(file)
    g = groups + 1
    if (!(file in alone)) for (g = 1; g <= groups && !fits(g); g++);
    if (g > groups) groups = g
    closed[g] = file in alone
    size[g]++
    for (i = 1; i <= own_count; i++) {
      keeps[g, own[i]] = 1
      name_of[g, ++names[g]] = own[i]
    }
    for (i = 1; i <= text_count; i++) has[g, text[i]] = 1
    for (h in headers) read_by[g, h] = 1
    print g, file
  }
}
