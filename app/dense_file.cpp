#include "app/dense_file.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "engine/record/trace_file.h"

namespace draftscope {

Result<DenseFile> read_dense_file(const std::string& path) {
  Result<TraceReader> reader = TraceReader::open(path);
  if (!reader) return Error{reader.error()};
  DenseFile file;
  std::vector<RoundRecord> rounds;
  bool begun = false;
  for (size_t i = 0; i < reader->size(); ++i) {
    Result<Message> message = reader->message(i);
    if (!message) return Error{message.error()};
    if (auto* info = std::get_if<SessionInfo>(&*message)) {
      if (begun) break;
      begun = true;
      file.info = std::move(*info);
    } else if (auto* round = std::get_if<RoundRecord>(&*message)) {
      rounds.push_back(std::move(*round));
    }
  }
  if (!reader->complete()) std::fprintf(stderr, "draftscope: %s\n", reader->note().c_str());
  if (!begun) return fail("{}: expected a session in the trace, found {} frames without one", path, reader->size());
  Result<DenseText> text = dense_text(file.info, rounds);
  if (!text) return fail("{}: {}", path, text.error());
  file.text = *std::move(text);
  return file;
}

}  // namespace draftscope
