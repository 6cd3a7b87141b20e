// Relations about reading outside: inputs that end or begin at a page that nobody may touch.

#include "analysis/verify/relations.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

Finding check_guarded(RelationContext& context, GuardSide side, std::string_view what) {
  if (declared_memory(context.kernel.capabilities) != LVSA_HOST) {
    return not_applicable("the tensors are on a device");
  }
  Problem guarded = context.problem;
  guarded.guard = side;
  const Outputs outputs = context.call(guarded);
  if (outputs.touched) return fails(*outputs.touched);
  return equal_to_base(context, guarded, outputs, what, same_rows(guarded));
}

}  // namespace

Finding check_input_ends(RelationContext& context) {
  return check_guarded(context, GuardSide::kBehind, "inputs that end at a page's end");
}

Finding check_input_starts(RelationContext& context) {
  return check_guarded(context, GuardSide::kBefore, "inputs that begin at a page's start");
}

}  // namespace lvsa::analysis
