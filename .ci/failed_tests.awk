# Prints the failed tests of a JUnit report of ctest, each with the last 15 lines of its output.
function plain(text) {
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
  gsub(/&amp;/, "\\&", text)
  return text
}
/<testcase / {
  failed = /status="fail"/
  name = $0
  sub(/.*<testcase name="/, "", name); sub(/" .*/, "", name)
}
failed && /<system-out>/ { inside = 1; count = 0; sub(/.*<system-out>/, "") }
inside {
  last = sub(/<\/system-out>.*/, "")
  lines[count++] = $0
  if (last) {
    print "failed: " plain(name)
    for (i = count > 15 ? count - 15 : 0; i < count; i++) print "    " plain(lines[i])
    inside = 0
  }
}
