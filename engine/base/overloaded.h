// Overloaded: one visitor for std::visit out of several lambdas.
#pragma once

namespace draftscope {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace draftscope
