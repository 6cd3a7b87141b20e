#pragma once

namespace lvsa::reference {

/// ln x for x > 0 from operations that every machine rounds alike, which the system's own logarithm
/// does not promise; its error is that of a few roundings. Other x as std::log has it.
double exact_log(double x);

}  // namespace lvsa::reference
