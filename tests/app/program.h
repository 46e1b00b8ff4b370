// Running the built program as a person would: arguments in, exit status and both streams out.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace draftscope {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder of its own, with a cache inside, gone at the end.
class Sandbox {
 public:
  Sandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "draftscope-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Sandbox() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Finished {
  int status = -1;   // exit status, or 128 + signal
  std::string out, err;
};

/// A started program; standard input is empty, there is no display, the cache is the sandbox's.
class Program {
 public:
  Program(const Sandbox& sandbox, std::vector<std::string> arguments)
      : out_(sandbox / "stdout"), err_(sandbox / "stderr") {
    arguments.insert(arguments.begin(), DS_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    setenv("XDG_CACHE_HOME", sandbox.path().c_str(), 1);
    setenv("DRAFTSCOPE_ASSETS", DS_SOURCE_DIR "/assets", 1);
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(out_, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(err_, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (chdir(sandbox.path().c_str()) != 0) _exit(126);
    execv(DS_PROGRAM, argv.data());
    _exit(127);
  }

  void send(int signal_number) const { kill(pid_, signal_number); }
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

inline Finished run(const Sandbox& sandbox, std::vector<std::string> arguments) {
  return Program(sandbox, std::move(arguments)).wait();
}

}  // namespace draftscope
