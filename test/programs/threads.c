/* ./threads THREADS CALLS [NAME]: each thread calls hit(thread, 0), hit(thread, 1) ... under the name given. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>

__attribute__((noipa)) int hit(int thread, int call)
{
	return thread + call;
}

static int calls;

static void *run(void *number)
{
	for (int call = 0; call < calls; call++)
		hit((int)(intptr_t)number, call);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int count = atoi(argv[1]);
	calls = atoi(argv[2]);
	if (argc > 3) {
		/* "%" stands for a byte that no command line can carry: an invalid one. */
		for (char *byte = argv[3]; *byte != '\0'; byte++)
			if (*byte == '%')
				*byte = (char)0xff;
		prctl(PR_SET_NAME, argv[3]);
	}
	for (intptr_t i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}
