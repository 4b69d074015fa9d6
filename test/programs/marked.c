/* marked: passes its markers NUMBER times for each NUMBER that it reads, and says when it has.
 * Two providers have a marker of one name; `tick` stands at several places with a layout each, and is guarded by a semaphore;
 * `step` stands at two places with a semaphore each, as two files of one program have it. */
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#include <stdio.h>
#include <stdlib.h>

#define SEMAPHORE(name) __attribute__((used, section(".probes"), visibility("hidden"))) volatile unsigned short name
SEMAPHORE(alpha_tick_semaphore);
SEMAPHORE(beta_tick_semaphore);
SEMAPHORE(alpha_double__name_semaphore);
SEMAPHORE(alpha_many_semaphore);
SEMAPHORE(first_semaphore);
SEMAPHORE(second_semaphore);

/* A note as sys/sdt.h writes it, with a semaphore of its own. */
#define NOTE(name, semaphore, value)                                                       \
  __asm__ volatile("990: nop\n.pushsection .note.stapsdt,\"\",\"note\"\n"                  \
                   ".balign 4\n.4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n"    \
                   "992: .balign 4\n993: .8byte 990b,_.stapsdt.base," semaphore "\n"       \
                   ".asciz \"alpha\"\n.asciz \"" name "\"\n.asciz \"-4@%0\"\n"             \
                   "994: .balign 4\n.popsection\n"                                         \
                   :                                                                       \
                   : "nor"(value))

static long guarded;

static inline __attribute__((always_inline)) void tick(long value, int where) {
  if (__builtin_expect(alpha_tick_semaphore, 0)) guarded++;
  STAP_PROBE2(alpha, tick, value, where);
}

__attribute__((noipa)) void once(long round) { tick(round, 1); }
__attribute__((noipa)) void twice(long round, long *from) {
  tick(*from, 2);
  tick(-round, 3);
}
__attribute__((noipa)) void others(long round, const char *text) {
  STAP_PROBE1(beta, tick, text);
  STAP_PROBE1(alpha, double__name, (short)round);
  if (first_semaphore) NOTE("step", "first_semaphore", (int)round);
  if (second_semaphore) NOTE("step", "second_semaphore", -(int)round);
  STAP_PROBE12(alpha, many, round, 2, 3, 4, 5, 6, 7, 8, 9, 10, round + 11, -(int)round);
}

int main(void) {
  long from = 1000, rounds, round = 0;
  printf("ready %lx %lx %lx\n", (long)&alpha_tick_semaphore, (long)&first_semaphore, (long)&second_semaphore);
  fflush(stdout);
  while (scanf("%ld", &rounds) == 1) {
    for (long left = rounds; left > 0; left--) {
      round++;
      from++;
      once(round);
      twice(round, &from);
      others(round, "a text");
    }
    printf("done %ld guarded %ld\n", round, guarded);
    fflush(stdout);
  }
  return 0;
}
