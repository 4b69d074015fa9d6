/* Calls on which BCC's trace prints something else than what happened. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

__attribute__((noipa)) int ten(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j)
{
	return a + b + c + d + e + f + g + h + i + j;
}

/* Its parameters' names hold names that mean something by themselves. */
__attribute__((noipa)) int named(const char *arg1x, long retvalue, int my_pid, unsigned arg2)
{
	return (int)strlen(arg1x) + (int)retvalue + my_pid + (int)arg2;
}

__attribute__((noipa)) void numbers(unsigned word, int small, const void *pointer, const char *text)
{
	__asm__ volatile("" ::"r"(word), "r"(small), "r"(pointer), "r"(text));
}

__attribute__((noipa)) void leaf(unsigned path)
{
	__asm__ volatile("" ::"r"(path));
}

/* Each path of eleven bits calls leaf from another stack: 2048 of them. */
__attribute__((noipa)) void walk(unsigned path, int left)
{
	if (left == 0) {
		leaf(path);
	} else if ((path >> (left - 1)) & 1) {
		walk(path, left - 1);
		__asm__ volatile("");
	} else {
		walk(path, left - 1);
		__asm__ volatile("nop");
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	ten(1, 2, 3, 4, 5, 6, 7, 8, 9, -10);
	named("text", -2, 33, 44);
	named("textual", 0, 0, 0);
	numbers(0x1f, -7, (const void *)0xabc, "abcdef");
	for (unsigned path = 0; argc > 1 && path < 2048; path++)
		walk(path, 11);
}
