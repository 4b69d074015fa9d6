/*
 * Calls whose arguments, results and numbers are known, printed by the program itself. With an argument it waits for a line of
 * input first, so that somebody can attach to it.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, noclone))

enum { calls = 1000, depth = 6, threads = 4, turns = 250 };

KEEP int take(int fd, const char *text, size_t size) {
  __asm__ volatile("" : "+r"(fd), "+r"(size) : "r"(text) : "memory");
  return fd * 10;
}

KEEP long change(long value) {
  __asm__ volatile("" : "+r"(value));
  return -value;
}

/* Recurses: each call but the last sleeps in the one below it. */
KEEP int descend(int level) {
  int below = 0;
  if (level > 1)
    below = descend(level - 1);
  else
    usleep(2000);
  __asm__ volatile("" : "+r"(below));
  return below + 1;
}

KEEP int work(int thread, int turn) {
  __asm__ volatile("" : "+r"(turn));
  return thread * 100 + turn % 2;
}

static void *run(void *number) {
  for (int turn = 0; turn < turns; turn++) work((int)(long)number, turn);
  return NULL;
}

int main(int argc, char **argv) {
  (void)argv;
  char line[16], text[64];
  if (argc > 1 && !fgets(line, sizeof line, stdin)) return 1;
  static const char *const texts[] = {"get", "set", "mget"};
  for (int call = 0; call < calls; call++) {
    /* What lies behind the zero differs from call to call. */
    memset(text, 'a' + call % 26, sizeof text);
    strcpy(text, texts[call % 3]);
    take(call % 4, text, (size_t)call * call);
  }
  take(9, NULL, 0);
  for (long value = -5; value <= 70000; value += value < 10 ? 1 : 9999) change(value);
  for (int call = 0; call < 3; call++) descend(depth);
  pthread_t thread[threads];
  for (long number = 0; number < threads; number++) pthread_create(&thread[number], NULL, run, (void *)number);
  for (int number = 0; number < threads; number++) pthread_join(thread[number], NULL);
  struct timespec pause = {0, 1500};
  for (int call = 0; call < 5; call++) nanosleep(&pause, NULL);
  printf("take %d descend %d work %d\n", calls + 1, 3 * depth, threads * turns);
  return 0;
}
