/* The program of the example in which BCC's trace reads a register at places inside of main. */
#include <stdio.h>

int main()
{
	int val = 0xdead;
	printf("%d\n", val);
	val = 0xbeef;
	printf("%d\n", val);
}
