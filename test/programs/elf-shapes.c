/* Functions of every shape that a symbol table knows. With -DLIBRARY a library without main. */
#include <stdio.h>

__attribute__((noinline)) int plain(int value) { return value * 3 + 1; }
__attribute__((noinline)) static int hidden_away(int value) { return value ^ 0x55; }
int also_plain(int value) __attribute__((alias("plain")));
int weakly_plain(int value) __attribute__((weak, alias("plain")));
__attribute__((visibility("hidden"), noinline)) int hidden_function(int value) { return value - 7; }
__attribute__((visibility("protected"), noinline)) int protected_function(int value) { return value - 9; }

static int chosen(int value) { return value + 2; }
static int (*resolve_choice(void))(int) { return chosen; }
int choice(int value) __attribute__((ifunc("resolve_choice")));

/* Names beyond ASCII, and a name that is the tail of another (linkers store such tails once). */
__attribute__((noinline)) int größe(int value) { return value + 5; }
__attribute__((noinline)) int tail_name(int value) { return value + 6; }
__attribute__((noinline)) int long_tail_name(int value) { return value + 8; }

/* Size 0: two entry places in one stretch of code, then a function with a size that has an inner label with one. */
__asm__(".text\n"
        ".globl sizeless_first\n.type sizeless_first, %function\nsizeless_first:\n nop\n nop\n nop\n nop\n ret\n"
        ".globl sizeless_second\n.type sizeless_second, %function\nsizeless_second:\n nop\n nop\n nop\n nop\n ret\n"
        ".globl outer\n.type outer, %function\nouter:\n nop\n nop\n nop\n nop\n"
        ".globl inner\n.type inner, %function\ninner:\n nop\n nop\n nop\n nop\n.size inner, .-inner\n"
        " nop\n nop\n nop\n nop\n ret\n.size outer, .-outer\n");

/* A size on one of two names for one place: the other has it too. */
__asm__(".text\n"
        ".globl measured\n.type measured, %function\n.globl unmeasured\n.type unmeasured, %function\n"
        "unmeasured:\nmeasured:\n nop\n nop\n nop\n nop\n.size measured, .-measured\n nop\n nop\n nop\n nop\n ret\n"
        ".globl behind\n.type behind, %function\nbehind:\n nop\n nop\n nop\n nop\n ret\n.size behind, .-behind\n");

int some_object = 42;

int use_all(int value) {
  return plain(value) + hidden_away(value) + hidden_function(value) + protected_function(value) + choice(value) + größe(value) +
         tail_name(value) + long_tail_name(value);
}

#ifndef LIBRARY
int main(void) {
  printf("%d\n", use_all(some_object));
  return 0;
}
#endif
