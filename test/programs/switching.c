/* Switches stacks: a return probe on `step` would make the kernel return to the wrong place. */
#include <stdio.h>
#include <ucontext.h>

static ucontext_t outside, inside;
static char stack[65536];

__attribute__((noinline)) int step(int value) {
  swapcontext(&inside, &outside);
  return value;
}

static void run(void) {
  step(1);
  step(2);
}

int main(void) {
  getcontext(&inside);
  inside.uc_stack.ss_sp = stack;
  inside.uc_stack.ss_size = sizeof stack;
  inside.uc_link = &outside;
  makecontext(&inside, run, 0);
  for (int turn = 0; turn < 3; turn++) swapcontext(&outside, &inside);
  puts("done");
  return 0;
}
