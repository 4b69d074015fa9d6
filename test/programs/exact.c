/* Calls with values at the ends of their types: words() and spans() once with each of a few, so that what comes out is known. */
#include <stdint.h>

__attribute__((noipa)) long words(uint64_t word, int32_t negative, uint32_t large, const char *text)
{
	return (long)word + negative + large + text[0];
}

__attribute__((noipa)) int64_t spans(int64_t value, const char *text)
{
	return value + text[0] - text[0];
}

int main(void)
{
	words(UINT64_MAX - 15, -1, 4000000000u, "abcdefghijklmnopqrst");
	spans(-5, "abcdefgh");
	spans(7, "abcdefghijklmnopqrst");
	return 0;
}
