#pragma once
// A small check that markup is well-formed, for tests of the reports.

#include <string>

namespace lvsa::analysis {

/// What is wrong with `text`, or nothing: tags that do not close or cross, a bare '<' or '&',
/// characters that XML forbids. With `html`, elements that HTML leaves empty need no end, and the
/// insides of <style> and <script> are not looked at.
std::string markup_problem(const std::string& text, bool html);

}  // namespace lvsa::analysis
