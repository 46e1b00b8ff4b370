// Running the built program as a person would: arguments in, exit status and both streams out.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/record/trace_file.h"
#include "tests/temp_folder.h"

namespace draftscope {

struct Finished {
  int status = -1;   // exit status, or 128 + signal
  std::string out, err;
};

/// A started program; standard input is empty, the cache is in the folder given, `display` is its DISPLAY.
class Program {
 public:
  Program(const TempFolder& sandbox, std::vector<std::string> arguments, const std::string& display = {})
      : out_(sandbox / "stdout"), err_(sandbox / "stderr") {
    arguments.insert(arguments.begin(), DS_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    setenv("XDG_CACHE_HOME", sandbox.path().c_str(), 1);
    setenv("DRAFTSCOPE_ASSETS", DS_SOURCE_DIR "/assets", 1);
    setenv("DISPLAY", display.c_str(), 1);
    unsetenv("WAYLAND_DISPLAY");
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(out_, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(err_, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (chdir(sandbox.path().c_str()) != 0) _exit(126);
    execv(DS_PROGRAM, argv.data());
    _exit(127);
  }

  void send(int signal_number) const { kill(pid_, signal_number); }
  /// Waits until its trace holds more than n_frames. False when it ended before that or two minutes have passed: a program
  /// under a sanitizer on a busy machine takes seconds to begin.
  bool records(const std::string& trace, size_t n_frames) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (std::chrono::steady_clock::now() < until) {
      const Result<TraceReader> reader = TraceReader::open(trace);
      if (reader && reader->size() > n_frames) return true;
      siginfo_t end{};
      if (waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid != 0) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  Finished wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(out_), slurp(err_)};
  }

 private:
  static void redirect(const std::string& path, int flags, int to) {
    const int fd = open(path.c_str(), flags, 0600);
    if (fd < 0 || dup2(fd, to) < 0) _exit(125);
  }
  std::string out_, err_;
  pid_t pid_ = -1;
};

inline Finished run(const TempFolder& sandbox, std::vector<std::string> arguments) {
  return Program(sandbox, std::move(arguments)).wait();
}

}  // namespace draftscope
