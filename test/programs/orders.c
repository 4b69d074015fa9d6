/* Functions to misspell and misuse; their names are used by no other test, so that its programs in the kernel can be told. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone, noipa))

NOINLINE int order_total(int price, int count) { __asm__ volatile(""); return price * count; }
NOINLINE const char *order_label(const char *label) { __asm__ volatile("" : : "r"(label)); return label; }
int order_data = 7;

/* Six bytes with places at 0, 2 and 5; an instruction that the kernel refuses; a size of 0; data that claims to be code. */
__asm__(".text\n"
        ".globl order_fixed\n.type order_fixed,@function\norder_fixed: .byte 0x89,0xf8,0x83,0xc0,0x01,0xc3\n.size order_fixed,6\n"
        ".globl order_locked\n.type order_locked,@function\norder_locked: lock addl $0,-8(%rsp)\nret\n.size order_locked,.-order_locked\n"
        ".globl order_sizeless\n.type order_sizeless,@function\norder_sizeless: mov %edi,%eax\nret\n"
        ".data\n.globl order_table\n.type order_table,@function\norder_table: .quad 1\n.size order_table,8\n.text\n");
int order_fixed(int), order_locked(void), order_sizeless(int);

/* orders ROUNDS [PAUSE_MS] [SIGNAL]: one order a round, then it says what they came to, or ends itself by the signal. */
int main(int count, char **words) {
  long rounds = count > 1 ? atol(words[1]) : 1;
  long pause = count > 2 ? atol(words[2]) : 0;
  long sum = order_fixed(1) + order_sizeless(2);
  order_locked();
  for (long round = 0; round < rounds; round++) {
    order_label("pear");
    sum += order_total((int)round, 2);
    if (pause > 0) usleep((useconds_t)pause * 1000);
  }
  printf("sum %ld\n", sum);
  fflush(stdout);
  if (count > 3) kill(getpid(), atoi(words[3]));
  return 0;
}
