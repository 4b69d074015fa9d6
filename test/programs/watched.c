// ./watched CALLS [SLOW_US]: known counts. alpha: CALLS here and in each of 4 threads; beta: CALLS in a forked child; deep: depth 20, twice;
// leaves: 5 calls that never return; nap: 3 calls, the second one slow.
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf back;
static long calls;

__attribute__((noipa)) long alpha(long left, long right) { return left + right; }
__attribute__((noipa)) int beta(int value) { return -value; }
__attribute__((noipa)) long nap(long us, const char *why) { usleep(us); return why == 0; }
__attribute__((noipa)) void leaves(int value) { longjmp(back, value + 1); }
__attribute__((noipa)) int deep(int left) {
  if (left <= 1) return 1;
  volatile int below = deep(left - 1);
  return below + 1;
}

static void *run(void *unused) {
  for (long call = 0; call < calls; call++) alpha(call, 1);
  return unused;
}

int main(int count, char **words) {
  pthread_t threads[4];
  calls = atol(words[1]);
  run(NULL);
  for (int index = 0; index < 4; index++) pthread_create(&threads[index], NULL, run, NULL);
  for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
  if (fork() == 0) {
    for (long call = 0; call < calls; call++) beta((int)call);
    _exit(0);
  }
  wait(NULL);
  deep(20);
  deep(20);
  for (volatile int round = 0; round < 5; round++)
    if (setjmp(back) == 0) leaves(round);
  nap(1, "fast");
  nap(count > 2 ? atol(words[2]) : 1, "slow");
  nap(1, "fast");
  return 0;
}
