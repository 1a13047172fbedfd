/* SPDX-License-Identifier: MIT
 * A program that is no Python but runs one: embed-python LIBRARY CODE. The library is loaded under
 * whatever name it has. With "-" as code nothing is initialised: it waits for the end of stdin. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	void (*initialize)(int);
	int (*run)(const char *);
	void *lib;

	if (argc != 3)
		return 2;
	lib = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	if (!strcmp(argv[2], "-")) {
		puts("ready");
		fflush(stdout);
		while (getchar() != EOF)
			;
		return 0;
	}
	*(void **)&initialize = dlsym(lib, "Py_InitializeEx");
	*(void **)&run = dlsym(lib, "PyRun_SimpleString");
	if (!initialize || !run)
		return 1;
	initialize(0);
	return run(argv[2]) != 0;
}
