# Which source files may be compiled as one: prints `GROUP FILE` for each of the files named, in their order.
#
#     awk -v root=FOLDER -v most=8 -f unity.awk FILE...
#
# Files share a group of at most `most` only where no name that is local to one (declared in an unnamed namespace, static,
# constexpr, brought in by using, or a macro) stands in another or in what that includes, unless behind `.`, `->` or `::`,
# or unless both have the same line `using NAME...` for it. So each means what it means alone. Of the groups that a file
# may join it takes the one that has most of its headers already. A name of a function counts where it is called. It reads the layout that .clang-format makes: what
# a namespace holds is not indented. Files that change what is around them (pragmas, using namespace,
# unscoped enumerations), and those that change with every commit, stay alone.

function local(name) {
  if (name !~ /^[A-Z_0-9]+\(?$/ && name !~ /^(operator|if|for|while|return|const|noexcept|namespace|static_assert|class|struct|enum|union|template)\(?$/)
    locals[FILENAME] = locals[FILENAME] " " name
}

# Notes the name that a line `using A::NAME;` or `using NAME = A;` brings in; says whether it is one.
function brought(line,    name) {
  if (line !~ /^using [A-Za-z_:0-9]+( =.*)?;$/) return 0
  name = line
  sub(/^using /, "", name)
  sub(/( =.*)?;$/, "", name)
  sub(/^.*::/, "", name)
  locals[FILENAME] = locals[FILENAME] " " name
  meaning[FILENAME, name] = line
  return 1
}

# The names that a line at the margin declares: those before one of ({=[; and those of types. What stands behind
# the first of {= is no declaration of it.
function declared(line,    name, mark) {
  if (brought(line)) return
  if (match(line, /[{=]/)) line = substr(line, 1, RSTART)
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

# The header that an #include names: of the project by its path, another as <NAME>.
function included(line) {
  if (match(line, /"[^"]*"/)) return substr(line, RSTART + 1, RLENGTH - 2)
  return match(line, /<[^>]*>/) ? substr(line, RSTART, RLENGTH) : ""
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

# Takes the raw strings out of the line at hand; one that does not end there sets `raw` to what ends it.
function without_raw(line,    at, mark, rest) {
  if (raw != "") {
    at = index(line, raw)
    if (at == 0) return ""
    line = substr(line, at + length(raw))
    raw = ""
  }
  while (match(line, /R"[A-Za-z_]*\(/)) {
    mark = ")" substr(line, RSTART + 2, RLENGTH - 3) "\""
    rest = substr(line, RSTART + RLENGTH)
    line = substr(line, 1, RSTART - 1) "\"\""
    at = index(rest, mark)
    if (at == 0) {
      raw = mark
      break
    }
    line = line substr(rest, at + length(mark))
  }
  return line
}

FNR == 1 { order[++files] = FILENAME; unnamed = 0; raw = ""; locals[FILENAME] = "" }
raw != "" || /R"[A-Za-z_]*\(/ { $0 = without_raw($0) }
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

# Whether NAME means the same in FILE and in all files of group G that say it: all have the same `using` for it.
function agreed(g, file, name) {
  return (file, name) in meaning && (g, name) in agreement && meaning[file, name] == agreement[g, name]
}

# Whether FILE, whose own names, text and headers are at hand, may join group G.
function fits(g, file,    i, h) {
  if (closed[g] || size[g] >= most) return 0
  for (i = 1; i <= own_count; i++) if ((g, own[i]) in has && !agreed(g, file, own[i])) return 0
  for (i = 1; i <= text_count; i++) if ((g, text[i]) in keeps && !agreed(g, file, text[i])) return 0
  for (h in headers)
    if (!((g, h) in read_by))
      for (i = 1; i <= names[g]; i++) if ((h, name_of[g, i]) in seen) return 0
  for (h = 1; h <= brings[g]; h++)
    if (!(header_of[g, h] in headers))
      for (i = 1; i <= own_count; i++) if ((header_of[g, h], own[i]) in seen) return 0
  return 1
}

# How many of the headers at hand group G has.
function shared(g,    h, count) {
  for (h in headers) count += (g, h) in read_by
  return count + 0
}

# The group that FILE joins: one of those there are, or the next.
function group_for(file,    g, best, most_shared, count) {
  best = groups + 1
  most_shared = -1
  for (g = 1; g <= groups && !(file in alone); g++) {
    if (!fits(g, file)) continue
    count = shared(g)
    if (count > most_shared) {
      best = g
      most_shared = count
    }
  }
  return best
}

function join(g, file,    i, h) {
  if (g > groups) groups = g
  closed[g] = file in alone
  size[g]++
  for (i = 1; i <= own_count; i++) {
    keeps[g, own[i]] = 1
    name_of[g, ++names[g]] = own[i]
  }
  for (i = 1; i <= text_count; i++) {
    # A name that all have by the same line; any other way of saying it ends that.
    if (!((g, text[i]) in has) && (file, text[i]) in meaning) agreement[g, text[i]] = meaning[file, text[i]]
    has[g, text[i]] = 1
  }
  for (h in headers) {
    if ((g, h) in read_by) continue
    read_by[g, h] = 1
    header_of[g, ++brings[g]] = h
  }
}

END {
  for (f = 1; f <= files; f++) {
    file = order[f]
    own_count = split(locals[file], own, " ")
    text_count = split(texts[file], text, " ")
    split("", headers)
    gather(file)
    g = group_for(file)
    join(g, file)
    print g, file
  }
}
