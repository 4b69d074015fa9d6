/* A leaf that keeps its values below the stack pointer, around a nop of five bytes: what overwrites them changes the sums. */
#include <stdio.h>

/* Returns 28, unless its red zone was written to meanwhile. Begins with such a nop, too. */
long leaf(long);
__asm__(".text\n"
        ".globl leaf\n"
        ".type leaf, @function\n"
        "leaf:\n"
        "  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
        "  movq $4, -8(%rsp)\n"
        "  movq $8, -16(%rsp)\n"
        "  movq $6, -24(%rsp)\n"
        "  movq $10, -32(%rsp)\n"
        "  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
        "  movq -8(%rsp), %rax\n"
        "  addq -16(%rsp), %rax\n"
        "  addq -24(%rsp), %rax\n"
        "  addq -32(%rsp), %rax\n"
        "  ret\n"
        ".size leaf, .-leaf\n");

int main(void) {
  long sum = 0;
  for (int call = 0; call < 100; call++) sum += leaf(call);
  printf("%ld\n", sum);
  return 0;
}
