/* SPDX-License-Identifier: MIT
 * Mapped files, and the handler of SIGBUS for them. */
#include "mapping.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the handler looks at. `start` is 0 in a free one; `size` is valid when `start` is set. */
static struct {
	_Atomic uintptr_t start;
	_Atomic size_t size;
} slots[MAPPINGS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of taking a slot */
static struct sigaction before;
static uintptr_t page_size;

static bool is_ours(uintptr_t addr)
{
	for (size_t i = 0; i < MAPPINGS_MAX; i++) {
		uintptr_t start = atomic_load(&slots[i].start);

		if (start && addr >= start && addr - start < atomic_load(&slots[i].size))
			return true;
	}
	return false;
}

/* mmap(2) is a plain system call here: it may be made in a handler. */
static void on_sigbus(int sig, siginfo_t *info, void *context _unused_)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(page_size - 1);
	int saved = errno;

	if (!is_ours((uintptr_t)info->si_addr) ||
	    mmap((void *)page, page_size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		sigaction(sig, &before, NULL); /* and so it happens again, to whom it concerns */
	errno = saved;
}

static void install(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART };

	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, &before);
}

static int take_slot(const struct mapping *m)
{
	int found = -EMFILE;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < MAPPINGS_MAX && found < 0; i++) {
		if (atomic_load(&slots[i].start) != 0)
			continue;
		atomic_store(&slots[i].size, m->size);
		atomic_store(&slots[i].start, (uintptr_t)m->at);
		found = i;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

int mapping_open(struct mapping *m, int fd)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct stat st;
	void *room;

	pthread_once(&once, install);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return -ENOEXEC;
	m->size = (size_t)st.st_size;
	room = mmap(NULL, m->size + MAPPING_TAIL, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	m->at = room;
	m->slot = take_slot(m);
	if (m->slot < 0 || mmap(room, m->size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd, 0) == MAP_FAILED) {
		int ret = m->slot < 0 ? m->slot : -errno;

		mapping_close(m);
		return ret;
	}
	return 0;
}

void mapping_close(struct mapping *m)
{
	if (m->slot >= 0)
		atomic_store(&slots[m->slot].start, 0);
	munmap(m->at, m->size + MAPPING_TAIL);
	m->at = NULL;
}

void mapping_forget(const struct mapping *m, const uint8_t *at, uint64_t size)
{
	uintptr_t first = ((uintptr_t)at + page_size - 1) & ~(page_size - 1);
	uintptr_t end = ((uintptr_t)at + size) & ~(page_size - 1);

	if (at >= m->at && at < m->at + m->size && first < end)
		madvise((void *)first, end - first, MADV_DONTNEED);
}
