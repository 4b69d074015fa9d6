// Catches what it throws, from its own functions and through a thread that is ended. Prints the same lines, traced or not.
#include <cstdio>
#include <exception>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>

struct Guard {
  const char *name;
  ~Guard() { std::printf("left %s\n", name); }
};

extern "C" __attribute__((noinline)) int throwing(int value) {
  Guard guard{"throwing"};
  if (value > 1) throw std::runtime_error("too much");
  return value;
}

static int attempt(int value) {
  try {
    return throwing(value);
  } catch (const std::exception &error) {
    std::printf("caught %s\n", error.what());
    return -1;
  }
}

static int again(int value) {
  try {
    try {
      return throwing(value);
    } catch (...) {
      throw;
    }
  } catch (const std::runtime_error &) {
    return -2;
  }
}

static void *thread(void *) {
  Guard guard{"thread"};
  pthread_exit(nullptr);
}

int main() {
  for (int value = 1; value < 4; value++) std::printf("%d %d\n", attempt(value), again(value));
  pthread_t started;
  pthread_create(&started, nullptr, thread, nullptr);
  pthread_join(started, nullptr);
  void *frames[16];
  std::printf("frames: %s\n", backtrace(frames, 16) > 1 ? "several" : "one");
}
