// Calls two functions as often as its input says: a line "alpha beta" of two counts, then it answers "done".
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned short armed __attribute__((section(".probes"))) = 0;

__attribute__((noinline)) long alpha(long index, long twice) {
  __asm__ volatile("" ::: "memory");
  return index + twice;
}

__attribute__((noinline)) long beta(long index, long twice) {
  __asm__ volatile("" ::: "memory");
  return index - twice;
}

// An instruction that the kernel refuses to probe: one with a LOCK prefix.
__attribute__((naked, noinline)) void locked(void) {
  __asm__ volatile("lock addl $0, (%rsp)\n\tret");
}

// Bytes that the kernel cannot decode: a VEX prefix with a map of instructions that there is not.
__attribute__((naked, noinline, used)) void undecodable(void) {
  __asm__ volatile(".byte 0xc4, 0xe0, 0x68, 0x00, 0xc0\n\tret");
}

int main(int argc, char **argv) {
  long alphas, betas, sum = 0;
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc > 1 && argv[1][0] == 'f' && fork() > 0) wait(NULL);
  printf("ready %d\n", getpid());
  while (scanf("%ld %ld", &alphas, &betas) == 2) {
    for (long index = 0; index < alphas; index++) sum += alpha(index, index * 2);
    for (long index = 0; index < betas; index++) sum += beta(index, index * 2);
    locked();
    printf("done %d\n", *(volatile unsigned short *)&armed);
  }
  return (int)(sum & 0);
}
