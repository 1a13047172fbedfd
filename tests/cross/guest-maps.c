/* SPDX-License-Identifier: MIT
 * Preloaded into a program that reads a process of qemu-user: its guest's code is mapped there
 * without the right to execute, which is the emulator's own affair. This gives it back in what is
 * read from /proc/PID/maps: on aarch64 the linker puts a file's beginning and its code into one
 * segment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192 };

/* "400000-916000 r--p 00000000 fe:00 780976  /path": code, when it is a file's beginning. */
static void give_back(char *line)
{
	char *right = strchr(line, ' ');

	if (right && strchr(line, '/') && !strncmp(right, " r--p 00000000 ", 15))
		right[3] = 'x';
}

static int rewritten(int maps)
{
	FILE *in = fdopen(maps, "r");
	int out = memfd_create("maps", MFD_CLOEXEC);
	char line[LINE_MAX_BYTES];

	if (!in || out < 0)
		abort();
	while (fgets(line, sizeof(line), in)) {
		give_back(line);
		if (write(out, line, strlen(line)) != (ssize_t)strlen(line))
			abort();
	}
	fclose(in);
	lseek(out, 0, SEEK_SET);
	return out;
}

int open(const char *path, int flags, ...)
{
	static int (*next)(const char *, int, ...);
	size_t len = strlen(path);
	va_list args;
	int mode, fd;

	if (!next)
		next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, int) : 0;
	va_end(args);
	fd = next(path, flags, mode);
	if (fd >= 0 && !strncmp(path, "/proc/", 6) && len > 5 && !strcmp(path + len - 5, "/maps"))
		return rewritten(fd);
	return fd;
}
