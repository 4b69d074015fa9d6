/*
 * Does what return probes break unless they leave it out: its main wants its argument count, it comes back to places that
 * setjmp and getcontext have saved, leaves functions by longjmp, handles a signal, forks both ways, ends a thread in the
 * middle, asks the loader who it is, and jumps into cold pieces. Prints the same lines, traced or not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))

static jmp_buf place;
static volatile int signals;

APART int leave(int value) {
  if (value > 2) longjmp(place, value);
  return value;
}

APART int come_back(void) {
  volatile int turns = 0;
  int value = setjmp(place);
  if (++turns < 4) leave(2 + turns);
  return value * 10 + turns;
}

APART int come_back_with_signals(void) {
  sigjmp_buf here;
  volatile int turns = 0;
  int value = sigsetjmp(here, 1);
  if (++turns < 3) siglongjmp(here, 7);
  return value * 10 + turns;
}

APART int come_back_by_context(void) {
  ucontext_t here;
  volatile int turns = 0;
  getcontext(&here);
  if (++turns < 3) setcontext(&here);
  return turns;
}

/* Reached by a jump: what lies on top of its stack then is a local, not a return address. */
__attribute__((cold, noinline)) static void rarely(long *numbers) {
  for (int at = 0; at < 4; at++) numbers[at] += numbers[(at + 1) % 4];
}

APART long work(long value, long *sum) {
  long numbers[4] = {value, value * 2, value * 3, value * 4};
  __asm__ volatile("" : : "r"(numbers) : "memory");
  if (__builtin_expect(value % 2, 0)) {
    rarely(numbers);
    rarely(numbers);
    *sum += numbers[3];
  }
  __asm__ volatile("" : : "r"(numbers) : "memory");
  return numbers[0] + numbers[1] + numbers[2] + numbers[3];
}

static void on_signal(int number) { signals += number; }

APART void stop_here(void) { pthread_exit((void *)42); }

static void *thread(void *unused) {
  stop_here();
  return unused;
}

int main(int count, char **words) {
  (void)words;
  printf("argc %d\n", count);
  printf("setjmp %d, sigsetjmp %d, getcontext %d\n", come_back(), come_back_with_signals(), come_back_by_context());
  long sum = 0;
  for (long value = 0; value < 6; value++) sum += work(value, &sum);
  printf("work %ld\n", sum);
  signal(SIGUSR1, on_signal);
  raise(SIGUSR1);
  raise(SIGUSR1);
  printf("signals %d\n", signals / SIGUSR1);
  fflush(stdout);
  if (fork() == 0) _exit(3);
  int status = 0, other = 0;
  wait(&status);
  if (vfork() == 0) _exit(4);
  wait(&other);
  printf("children %d %d\n", WEXITSTATUS(status), WEXITSTATUS(other));
  pthread_t started;
  void *result = NULL;
  pthread_create(&started, NULL, thread, NULL);
  pthread_join(started, &result);
  printf("thread %ld\n", (long)result);
#ifndef STATIC
  printf("next malloc %s\n", dlsym(RTLD_NEXT, "malloc") == NULL ? "missing" : "found");
#endif
  return 0;
}
