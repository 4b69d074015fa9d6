/* Markers of nops of five bytes: in a leaf that keeps values below its stack pointer, in a function that calls, at the beginning
 * of a function; and a pair of nops whose first byte is a nop by itself. `leaf` returns 28 unless its red zone was written to. */
#include <sys/sdt.h>
#include <stdio.h>

#define NOTE(name, nop, arguments)                                                              \
  "990: " nop "\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                         \
  ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"                     \
  "993: .8byte 990b,_.stapsdt.base,0\n.asciz \"nops\"\n.asciz \"" name "\"\n"                   \
  ".asciz \"" arguments "\"\n994: .balign 4\n.popsection\n"
#define NOP5 ".byte 0x0f,0x1f,0x44,0x00,0x00"

long sought = 77;

long leaf(void);
long begins(void);
__asm__(".text\n.globl leaf\n.type leaf, @function\nleaf:\n"
        "  movq $28, -8(%rsp)\n  movq $-1, -24(%rsp)\n" NOTE("leaf", NOP5, "8@sought(%rip)")
        "  nop\n" NOTE("pair", "nop\n" NOP5, "8@sought(%rip)")
        "  movq -8(%rsp), %rax\n  movq -24(%rsp), %rcx\n  cmpq $-1, %rcx\n  je 1f\n  xor %eax, %eax\n1: ret\n"
        ".size leaf, .-leaf\n"
        ".globl begins\n.type begins, @function\nbegins:\n" NOTE("begins", NOP5, "8@sought(%rip)")
        "  movl $1, %eax\n  ret\n.size begins, .-begins\n");

__attribute__((noipa)) long calls(long round) {
  long sum = begins();
  __asm__ volatile(NOTE("calls", NOP5, "8@sought(%%rip) 8@%0") : : "r"(round));
  return sum + begins();
}

int main(void) {
  STAP_PROBE(nops, main);
  long sum = 0;
  for (long round = 0; round < 100; round++) sum += leaf() + calls(round);
  printf("%ld\n", sum);
  return 0;
}
