// Calls itself as often as its word says: every return of `down` happens, whatever the kernel shows of them.
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline, noclone, noipa)) int down(int depth)
{
	int below = depth == 0 ? 0 : down(depth - 1);
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

int main(int count, char **words)
{
	printf("%d\n", down(count > 1 ? atoi(words[1]) - 1 : 0));
	return 0;
}
