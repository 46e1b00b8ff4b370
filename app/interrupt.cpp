// Ctrl-C and progress lines: long work ends in order and shows that it moves.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "app/options.h"

namespace draftscope {
namespace {

// Set on whichever thread the signal finds, read by the engine thread too.
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing else");

void on_interrupt(int signal_number) {
  g_interrupted.store(true, std::memory_order_relaxed);
  signal(signal_number, SIG_DFL);  // a second one ends the program at once
}

}  // namespace

bool interrupted() { return g_interrupted.load(std::memory_order_relaxed); }

void catch_interrupts() {
  signal(SIGINT, on_interrupt);
  signal(SIGTERM, on_interrupt);
}

void show_progress(const std::string& what, int64_t done, int64_t total) {
  if (!isatty(STDERR_FILENO)) return;
  const int width = 30, filled = total > 0 ? static_cast<int>(width * done / total) : 0;
  std::fprintf(stderr, "\r\033[K%s [%.*s%*s] %lld/%lld", what.c_str(), filled, "##############################",
               width - filled, "", static_cast<long long>(done), static_cast<long long>(total));
  if (done >= total) std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace draftscope
