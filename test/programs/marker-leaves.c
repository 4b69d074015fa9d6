/* Markers of nops of five bytes in leaf functions that keep values below their stack pointer and do not look like it: `piece` in a
 * piece that has the unwind entry of a function (as gcc's f.cold), `asks` behind a call in inline assembly, with a register pushed,
 * `framed` the same with a frame pointer. `calls` stands in none. Each returns 28 unless its red zone was written to. */
#include <sys/sdt.h>
#include <stdio.h>

#define NOTE(name)                                                                              \
  "990: .byte 0x0f,0x1f,0x44,0x00,0x00\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"  \
  ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"                     \
  "993: .8byte 990b,_.stapsdt.base,0\n.asciz \"leaves\"\n.asciz \"" name "\"\n"                 \
  ".asciz \"\"\n994: .balign 4\n.popsection\n"
#define BEGIN(name) ".globl " name "\n.type " name ", @function\n" name ":\n.cfi_startproc\n"
#define END(name) "ret\n.cfi_endproc\n.size " name ", .-" name "\n"
#define PUSH(name) "push %" name "\n.cfi_adjust_cfa_offset 8\n"
#define POP(name) "pop %" name "\n.cfi_def_cfa rsp, 8\n"
#define KEEP(base) "movq $28, -8(" base ")\nmovq $-1, -24(" base ")\n"
#define CHECK(base) "movq -8(" base "), %rax\ncmpq $-1, -24(" base ")\nje 1f\nxor %eax, %eax\n1:\n"
#define CALL "lea -128(%rsp), %rsp\ncall nothing\nlea 128(%rsp), %rsp\n"

long split(void);
long asks(void);
long framed(void);
__asm__(".text\nnothing: ret\n"
        ".type split.cold, @function\nsplit.cold:\n.cfi_startproc\n" NOTE("piece")
        "jmp 2f\n.cfi_endproc\n.size split.cold, .-split.cold\n"
        BEGIN("split") KEEP("%rsp") "jmp split.cold\n2:\n" CHECK("%rsp") END("split")
        BEGIN("asks") PUSH("rbx") KEEP("%rsp") CALL NOTE("asks") CHECK("%rsp") POP("rbx") END("asks")
        BEGIN("framed") PUSH("rbp") "mov %rsp, %rbp\n.cfi_def_cfa_register rbp\n" KEEP("%rbp")
        CALL NOTE("framed") CHECK("%rbp") POP("rbp") END("framed"));

__attribute__((noipa)) long calls(void) {
  long kept = asks();
  __asm__ volatile(NOTE("calls"));
  return kept + framed() - 28;
}

int main(void) {
  STAP_PROBE(leaves, main);
  long wrong = 0;
  for (long round = 0; round < 100; round++) wrong += (split() != 28) + (calls() != 28);
  printf("wrong %ld\n", wrong);
  return 0;
}
