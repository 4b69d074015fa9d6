/* Calls functions of libc with known arguments, as the one-liners in the manual of BCC's trace expect them. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void files(void)
{
	const char *const names[] = {"test.txt", "test.txt.bak", "tes", "other"};
	for (int i = 0; i < 4; i++) {
		int fd = open(names[i], i == 3 ? 42 : O_RDONLY);
		if (fd >= 0)
			close(fd);
	}
}

static void descriptors(void)
{
	char bytes[4] = "";
	if (write(1, "hello\n", 6) != 6 || read(-1, bytes, 4) != -1 || write(-1, bytes, 4) != -1)
		exit(1);
}

/* Tells on stderr what it was given. */
static void memory(void)
{
	for (int i = 0; i < 3; i++) {
		void *volatile block = malloc(1000 + i);
		char line[64];
		int length = snprintf(line, sizeof line, "block %x\n", (unsigned)(uintptr_t)block);
		if (write(2, line, length) != length)
			exit(1);
		free(block);
	}
	void *volatile none = malloc(SIZE_MAX / 2 - 4096);
	if (none != NULL)
		exit(1);
}

static void network(void)
{
	struct in_addr address;
	if (inet_pton(AF_INET, "127.0.0.1", &address) != 1)
		exit(1);
	/* The first has the bytes 6c 00 00 00, the others differ in the first, the second and the last. */
	const uint32_t services[] = {108, 109, 0x16c, 0x0100006c};
	for (int i = 0; i < 4; i++)
		setsockopt(-1, 0, 1, &services[i], 4);
	setsockopt(-1, 0, 2, &services[0], 4);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "files") == 0)
			files();
		else if (strcmp(argv[i], "descriptors") == 0)
			descriptors();
		else if (strcmp(argv[i], "memory") == 0)
			memory();
		else if (strcmp(argv[i], "network") == 0)
			network();
		else
			return 2;
	}
}
