/* SPDX-License-Identifier: MIT
 * perf's record of the last switch of one thread. */
#include "mem/switch_log.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	DATA_BYTES = 4096,               /* of the ring: 20 records, or 4 with kernel stacks */
	RECORD_WORDS_MAX = DATA_BYTES / 8,
};

#ifdef __x86_64__
/* perf's number of each register (arch/x86/include/uapi/asm/perf_regs.h, Linux 6.1) by DWARF's. */
static const uint8_t perf_register[REGISTERS] = {
	0 /* rax */, 3 /* rdx */, 2 /* rcx */, 1 /* rbx */, 4 /* rsi */, 5 /* rdi */, 6 /* rbp */,
	7 /* rsp */, 16, 17, 18, 19, 20, 21, 22, 23 /* r15 */, 8 /* rip */,
};

static uint64_t wanted_registers(void)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < REGISTERS; i++)
		mask |= 1ULL << perf_register[i];
	return mask;
}

static int open_event(pid_t tid, bool kernel)
{
	struct perf_event_attr a = {
		.size = sizeof(a),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CONTEXT_SWITCHES,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER |
			       (kernel ? PERF_SAMPLE_CALLCHAIN : 0),
		.sample_regs_user = wanted_registers(),
		.exclude_hv = 1,
		.exclude_callchain_user = 1,
		.sample_max_stack = kernel ? SWITCH_KERNEL_MAX : 0,
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX, /* wakes nobody */
		.write_backward = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int switch_log_open(struct switch_log *log, pid_t tid, bool kernel)
{
	void *map;
	int fd = open_event(tid, kernel);

	*log = (struct switch_log){ .fd = -1 };
	if (fd < 0)
		return -errno;
	/* Read-only: the kernel then overwrites what is old (perf_event_open(2), "overwrite"). */
	map = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE) + DATA_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	*log = (struct switch_log){ .fd = fd, .kernel = kernel, .page = map };
	return 0;
}

/* The words of one record, taken out one after the other. */
struct record {
	uint64_t words[RECORD_WORDS_MAX];
	size_t count, at;
};

static uint64_t take(struct record *r)
{
	return r->at < r->count ? r->words[r->at++] : 0;
}

static void take_kernel(struct record *r, struct switch_record *ret)
{
	uint64_t n = take(r);

	for (uint64_t i = 0; i < n && r->at < r->count; i++) {
		uint64_t addr = take(r);

		/* Marks of the context (PERF_CONTEXT_KERNEL …) are no addresses. */
		if (addr < PERF_CONTEXT_MAX && ret->kernel_count < SWITCH_KERNEL_MAX)
			ret->kernel[ret->kernel_count++] = addr;
	}
}

/* The registers come in the order of perf's numbers. */
static int take_registers(struct record *r, struct switch_record *ret)
{
	uint64_t mask = wanted_registers(), by_perf[64] = { 0 };

	if (take(r) != PERF_SAMPLE_REGS_ABI_64)
		return -ENODATA;
	for (unsigned int i = 0; i < 64; i++)
		if (mask >> i & 1)
			by_perf[i] = take(r);
	for (unsigned int i = 0; i < REGISTERS; i++)
		register_set(&ret->registers, i, by_perf[perf_register[i]]);
	return 0;
}

/* Copies the record at `head`, which grows downwards; the ring's size is a power of two. */
static bool record_copy(const struct switch_log *log, uint64_t head, struct record *r)
{
	const uint8_t *data = (const uint8_t *)log->page + log->page->data_offset;
	struct perf_event_header h;

	memcpy(&h, data + (head & (DATA_BYTES - 1)), sizeof(h)); /* records are aligned by 8 */
	if (h.type != PERF_RECORD_SAMPLE || h.size % 8 || h.size <= sizeof(h) || h.size > DATA_BYTES)
		return false;
	r->at = 0;
	r->count = (h.size - sizeof(h)) / 8;
	for (size_t i = 0; i < r->count; i++)
		memcpy(&r->words[i], data + ((head + sizeof(h) + 8 * i) & (DATA_BYTES - 1)), 8);
	return true;
}

int switch_log_last(const struct switch_log *log, struct switch_record *ret)
{
	uint64_t head = __atomic_load_n(&log->page->data_head, __ATOMIC_ACQUIRE);
	struct record r;

	ret->registers.known = 0;
	ret->kernel_count = 0;
	if (head == 0 || !record_copy(log, head, &r))
		return -ENODATA;
	ret->when_ns = take(&r);
	if (log->kernel)
		take_kernel(&r, ret);
	return take_registers(&r, ret);
}
#else
int switch_log_open(struct switch_log *log, pid_t tid, bool kernel)
{
	(void)tid;
	(void)kernel;
	*log = (struct switch_log){ .fd = -1 };
	return -ENOTSUP;
}

int switch_log_last(const struct switch_log *log, struct switch_record *ret)
{
	(void)log;
	(void)ret;
	return -ENODATA;
}
#endif

void switch_log_close(struct switch_log *log)
{
	if (log->fd < 0)
		return;
	if (log->page)
		munmap(log->page, (size_t)sysconf(_SC_PAGESIZE) + DATA_BYTES);
	close(log->fd);
	*log = (struct switch_log){ .fd = -1 };
}
