/* Prints "ready" and waits: a process to look at. With an argument: as many threads beside the first. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *wait_here(void *argument) {
  (void)argument;
  for (;;) pause();
}

__attribute__((noinline)) int waiting_function(int value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}

int main(int argc, char **argv) {
  for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left--) {
    pthread_t thread;
    pthread_create(&thread, NULL, wait_here, NULL);
  }
  printf("ready %d\n", waiting_function(0));
  fflush(stdout);
  for (;;) pause();
}
