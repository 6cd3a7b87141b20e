#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "reference/plugin/resolve_backend.hpp"

namespace lvsa::reference {
namespace {

using Kind = Resolution::Kind;

InstalledPlugin plugin(const std::string& name, bool loads = true) {
  InstalledPlugin made;
  made.name = name;
  made.path = name + "_attn:attn_fn";
  made.loads = loads;
  return made;
}

TEST(Resolution, OfAutoIsTheFirstInOrderThatLoads) {
  const std::vector<InstalledPlugin> installed = {plugin("z", false), plugin("b"), plugin("a")};
  const Resolution found = resolve_backend("auto", installed, PluginPolicy::kSecond);
  ASSERT_EQ(found.kind, Kind::kPlugin);
  EXPECT_EQ(found.plugin, 1U);
  ASSERT_EQ(found.warnings.size(), 1U);
  EXPECT_NE(found.warnings[0].find("'z'"), std::string::npos);
}

TEST(Resolution, OfTwoEqualNamesIsTheFirstAlsoWhereItDoesNotLoad) {
  const std::vector<InstalledPlugin> installed = {plugin("twin", false), plugin("TWIN")};
  EXPECT_EQ(resolve_backend("Twin", installed, PluginPolicy::kFirst).kind, Kind::kFailed);
}

TEST(Resolution, OfPathsTakesDotAndColonAlike) {
  InstalledPlugin nameless;
  nameless.path = "my.kernels:sparse";
  const std::vector<InstalledPlugin> installed = {nameless};
  EXPECT_EQ(resolve_backend("my.kernels.sparse", installed, PluginPolicy::kFirst).kind,
            Kind::kPlugin);
  EXPECT_EQ(resolve_backend("my.kernels:sparse", installed, PluginPolicy::kFirst).kind,
            Kind::kPlugin);
  EXPECT_EQ(resolve_backend("my:kernels.sparse", installed, PluginPolicy::kFirst).kind,
            Kind::kFailed);
  EXPECT_EQ(resolve_backend("auto", installed, PluginPolicy::kFirst).kind, Kind::kFailed);
}

TEST(Resolution, TakesOnlyNamesWhereThePublishedSecondVersionDoes) {
  const DispatchQuirks quirks{false, true, false};
  const std::vector<InstalledPlugin> installed = {plugin("a"), plugin("auto")};
  EXPECT_EQ(resolve_backend("auto", installed, PluginPolicy::kSecond, quirks).plugin, 1U);
  EXPECT_EQ(resolve_backend("a_attn:attn_fn", installed, PluginPolicy::kSecond, quirks).kind,
            Kind::kFailed);
  EXPECT_EQ(resolve_backend("a_attn:attn_fn", installed, PluginPolicy::kFirst, quirks).kind,
            Kind::kPlugin);
}

TEST(Resolution, ListsWhatIsInstalledInAlphabeticalOrder) {
  const std::vector<InstalledPlugin> installed = {plugin("b", false), plugin("a")};
  EXPECT_EQ(installed_names(installed), "a, b");
  EXPECT_EQ(installed_names({}), "none");
}

// The rules again, as a list of the places that a word may mean, thinned out.
std::vector<std::size_t> places(const std::string& word,
                                const std::vector<InstalledPlugin>& installed, bool first) {
  std::vector<std::size_t> callable;
  std::vector<std::size_t> named;
  for (std::size_t i = installed.size(); i-- > 0;) {
    const InstalledPlugin& entry = installed[i];
    const bool calls = entry.loads && (first ? entry.takes_first : entry.takes_second);
    if (word == "auto" && calls && !entry.name.empty()) callable.insert(callable.begin(), i);
    if (word.size() == 1 && entry.name.size() == 1 && (entry.name[0] | 32) == (word[0] | 32)) {
      named.assign(calls ? 1 : 0, i);  // the last one seen is the first of the list
    }
    if (word.size() > 4 && entry.path == word) named.assign(calls ? 1 : 0, i);
  }
  return word == "auto" ? callable : named;
}

RC_GTEST_PROP(ResolutionProperty, AgreesWithAListThatIsThinnedOut, ()) {
  std::vector<InstalledPlugin> installed(*rc::gen::inRange<std::size_t>(0, 5));
  for (InstalledPlugin& entry : installed) {
    const auto letter = *rc::gen::elementOf(std::vector<std::string>{"", "a", "A", "b", "B", "c"});
    entry.name = letter;
    entry.path = *rc::gen::elementOf(std::vector<std::string>{"m.x:f", "m.y:f", "m.z:f"});
    entry.loads = *rc::gen::arbitrary<bool>();
    entry.takes_first = *rc::gen::arbitrary<bool>();
    entry.takes_second = *rc::gen::arbitrary<bool>();
  }
  const std::string word = *rc::gen::elementOf(
      std::vector<std::string>{"auto", "a", "B", "c", "d", "m.x:f", "m.y:f", "m.w:f"});
  for (const PluginPolicy policy : {PluginPolicy::kFirst, PluginPolicy::kSecond}) {
    const auto due = places(word, installed, policy == PluginPolicy::kFirst);
    const Resolution found = resolve_backend(word, installed, policy);
    RC_ASSERT((found.kind == Kind::kPlugin) == !due.empty());
    if (!due.empty()) RC_ASSERT(found.plugin == due.front());
    RC_ASSERT((found.kind == Kind::kFailed) == !found.why.empty());
    RC_ASSERT(resolve_backend("none", installed, policy).kind == Kind::kNone);
  }
}

}  // namespace
}  // namespace lvsa::reference
