// Ctrl-C and progress lines: long work ends in order and shows that it moves.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "app/options.h"

namespace draftscope {
namespace {

// Set on whichever thread the signal finds, read by the engine thread too.
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing else");

void on_interrupt(int) { g_interrupted.store(true, std::memory_order_relaxed); }

/// A call that waits, such as for standard input, ends with the signal; a second signal ends the program at once.
void catch_signal(int signal_number) {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // and no SA_RESTART
  sigaction(signal_number, &action, nullptr);
}

/// Escape codes mean something on standard error.
bool moves_cursor() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

bool interrupted() { return g_interrupted.load(std::memory_order_relaxed); }

void catch_interrupts() {
  catch_signal(SIGINT);
  catch_signal(SIGTERM);
}

void show_progress(const std::string& what, int64_t done, int64_t total) {
  if (!moves_cursor()) return;
  const int width = 30, filled = total > 0 ? static_cast<int>(width * done / total) : 0;
  std::fprintf(stderr, "\r\033[K%s [%.*s%*s] %lld/%lld", what.c_str(), filled, "##############################",
               width - filled, "", static_cast<long long>(done), static_cast<long long>(total));
  if (done >= total) std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace draftscope
