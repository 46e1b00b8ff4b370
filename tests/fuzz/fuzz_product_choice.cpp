// Any text is a file of choices or an error; choices survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/cuda/product_choice.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace draftscope;
  using namespace draftscope::cuda;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ChoicesHoldFor holds_for = {"a GPU", 13000, 130002};
  const Result<ProductChoices> choices = parse_choices(text, "fuzz", holds_for);
  if (!choices) {
    DS_CHECK(!choices.error().empty());
    return 0;
  }
  const Result<ProductChoices> again = parse_choices(choices_json(holds_for, *choices), "fuzz again", holds_for);
  DS_CHECK(again.ok(), "{}", again.ok() ? "" : again.error());
  DS_CHECK(*again == *choices);
  return 0;
}
