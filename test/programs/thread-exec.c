// Its second thread becomes the program that the arguments name.
#include <pthread.h>
#include <unistd.h>

static void *become(void *words)
{
	execv(((char **)words)[0], words);
	_exit(127);
}

int main(int count, char **words)
{
	pthread_t thread;
	if (count < 2 || pthread_create(&thread, NULL, become, words + 1)) return 1;
	pthread_join(thread, NULL);
	return 1;
}
