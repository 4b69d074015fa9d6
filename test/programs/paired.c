/* paired: passes pairs of markers known numbers of times, once or, with an argument, for each line that it reads.
 * In one function: work 20 times, 2 ms each; early 30, of which every third never ends; late 30, of which every third never began;
 * muddled 30, of which a third only ends, a third only begins; nested 6 times 5 deep; resized 8, with an array of another size each
 * time; jumps 9, of which 4 are left by longjmp; transaction 12, with one of two ends; query 5, whose text is gone at the end.
 * In functions of their own, as interpreters have them: method 4 times 10 deep, far 100 deep, lost 1000 that never end, then 10
 * whole ones. 3 threads at once: thread and method within it, 40 each. */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

#define KEPT __attribute__((noipa))

KEPT static void work(int round) {
  DTRACE_PROBE1(shop, work__start, round);
  usleep(2000);
  DTRACE_PROBE1(shop, work__done, round);
}
KEPT static void early(int round) {
  DTRACE_PROBE1(shop, early__begin, round);
  if (round % 3 == 0) return;
  DTRACE_PROBE1(shop, early__end, round);
}
KEPT static void late(int round) {
  if (round % 3 != 0) DTRACE_PROBE1(shop, late__begin, round);
  usleep(1);
  DTRACE_PROBE1(shop, late__end, round);
}
KEPT static void muddled(int round) {
  if (round % 3 != 0) DTRACE_PROBE1(shop, muddled__begin, round);
  usleep(1);
  if (round % 3 != 1) DTRACE_PROBE1(shop, muddled__end, round);
}
KEPT static void nested(int left) {
  DTRACE_PROBE1(shop, nested__entry, left);
  if (left > 1) nested(left - 1);
  usleep(1000);
  DTRACE_PROBE1(shop, nested__return, left);
}
KEPT static void enter(int left) { DTRACE_PROBE1(shop, method__entry, left); }
KEPT static void leave(int left) { DTRACE_PROBE1(shop, method__return, left); }
KEPT static void method(int left) {
  enter(left);
  if (left > 1) method(left - 1);
  usleep(1000);
  leave(left);
}
KEPT static void begin_far(int round) { DTRACE_PROBE1(shop, far__start, round); }
KEPT static void end_far(int round) { DTRACE_PROBE1(shop, far__stop, round); }
KEPT static void far(int left) {
  begin_far(left);
  if (left > 1) far(left - 1);
  end_far(left);
}
KEPT static void begin_lost(int round) { DTRACE_PROBE1(shop, lost__start, round); }
KEPT static void end_lost(int round) { DTRACE_PROBE1(shop, lost__stop, round); }
KEPT static void resized(int round) {
  DTRACE_PROBE1(shop, resized__begin, round);
  volatile char room[round * 64 + 64];
  memset((char *)room, round, sizeof room);
  usleep(1);
  DTRACE_PROBE1(shop, resized__end, room[round]);
}
static jmp_buf back;
KEPT static void jumps(int round) {
  DTRACE_PROBE1(shop, jumps__start, round);
  if (round % 2 == 0) longjmp(back, 1);
  DTRACE_PROBE1(shop, jumps__done, round);
}
KEPT static void transaction(int round) {
  DTRACE_PROBE1(shop, transaction__start, round);
  usleep(1);
  if (round % 4 == 0) DTRACE_PROBE1(shop, transaction__abort, round);
  else DTRACE_PROBE1(shop, transaction__commit, round);
}
KEPT static void query(int round) {
  char text[32];
  snprintf(text, sizeof text, "select %d", round);
  DTRACE_PROBE2(shop, query__start, text, round);
  memset(text, 'x', 31);
  DTRACE_PROBE1(shop, query__done, round * 10);
}
static void *thread(void *unused) {
  for (int round = 1; round <= 40; round++) {
    DTRACE_PROBE1(shop, thread__start, round);
    usleep(200);
    enter(round);
    usleep(200);
    leave(round);
    DTRACE_PROBE1(shop, thread__stop, round);
  }
  return unused;
}

static void pass(void) {
  for (int round = 1; round <= 20; round++) work(round);
  for (int round = 1; round <= 30; round++) early(round);
  for (int round = 1; round <= 30; round++) late(round);
  for (int round = 1; round <= 30; round++) muddled(round);
  for (int round = 1; round <= 6; round++) nested(5);
  for (int round = 1; round <= 4; round++) method(10);
  far(100);
  for (int round = 1; round <= 1000; round++) begin_lost(round);
  for (int round = 1; round <= 10; round++) {
    begin_lost(round);
    end_lost(round);
  }
  for (int round = 1; round <= 8; round++) resized(round);
  for (volatile int round = 1; round <= 9; round++)
    if (setjmp(back) == 0) jumps(round);
  for (int round = 1; round <= 12; round++) transaction(round);
  for (int round = 1; round <= 5; round++) query(round);
  pthread_t threads[3];
  for (int one = 0; one < 3; one++) pthread_create(&threads[one], NULL, thread, NULL);
  for (int one = 0; one < 3; one++) pthread_join(threads[one], NULL);
}

int main(int count, char **words) {
  char line[16];
  if (count == 1) pass();
  else
    while (fgets(line, sizeof line, stdin) != NULL) {
      pass();
      puts(words[1]);
      fflush(stdout);
    }
  return 0;
}
