// Waits for a line of input, calls its function, and becomes the program that its argument names; without one it ends at once.
#include <stdio.h>
#include <unistd.h>

__attribute__((noinline)) int tick(int number) {
  __asm__ volatile("" ::: "memory");
  return number;
}

__attribute__((noinline)) int CALLER(int number) { return tick(number) + 1; }

int main(int count, char **words) {
  if (count > 1) getchar();
  int sum = 0;
  for (int round = 0; round < 3; round++) sum += CALLER(round);
  if (count > 1) execv(words[1], words + 1);
  return sum == 0;
}
