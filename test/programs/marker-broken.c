/* Notes that nothing can be made of, each beside a sound one of the same name: places that are no code, in the middle of an
 * instruction, or a breakpoint; semaphores that no process can have raised. And notes about one place that say different things. */
#include <sys/sdt.h>

#define NOTE(name, place, semaphore) NOTE_WITH(name, place, semaphore, "-4@$7")
#define NOTE_WITH(name, place, semaphore, arguments)                                            \
  __asm__(".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                               \
          ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"             \
          "993: .8byte " place ",_.stapsdt.base," semaphore "\n.asciz \"broken\"\n"             \
          ".asciz \"" name "\"\n.asciz \"" arguments "\"\n994: .balign 4\n.popsection\n")

__attribute__((section(".data"), aligned(2))) short raised = 0;
__attribute__((section(".data"), aligned(2))) volatile short guard = 0;
const short constant = 0;
short empty;
long data = 5;

__attribute__((noipa)) void places(void) {
  __asm__ volatile("good: nop\nnop\nlong_one: movabs $0x9090909090909090, %%rax\ntrap: jmp 1f\nthe_trap: int3\n1: mov %%eax, %%eax" : : : "rax");
  if (guard) __asm__ volatile("shared: nop");
}

NOTE("place", "good", "raised");
NOTE("place", "data", "0");
NOTE("place", "0x7fffff000000", "0");
NOTE("place", "the_trap", "0");
NOTE("semaphore", "good", "raised");
NOTE("unraised", "good", "constant");
NOTE("unraised", "trap", "0x7fffff000000");
NOTE("unraised", "long_one", "empty");
NOTE("unraised", "good+1", "raised+1");
NOTE("instruction", "long_one", "0");
NOTE("middle", "long_one+11", "0");
NOTE("within", "long_one+3", "0");
NOTE("unguarded", "shared", "0");
NOTE_WITH("guarded", "shared", "guard", "-4@$8");
NOTE_WITH("alike_guarded", "shared", "0", "-4@$8");
NOTE_WITH("other_guarded", "shared", "raised", "-4@$8");

int main(void) {
  STAP_PROBE(broken, main);
  places();
  return 0;
}
