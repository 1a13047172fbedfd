/* SPDX-License-Identifier: MIT
 * What a look at a thread needs for its native frames: registers, and where its stack ends. */
#ifndef SAMPLER_CAPTURE_H
#define SAMPLER_CAPTURE_H

#include "hold.h"
#include "mem/procfs.h"
#include "mem/switch_log.h"
#include "sampler/sampler.h"

/* One thread's source of registers. */
struct capture {
	struct switch_log log;   /* NATIVE_PERF */
	remote_addr stack_lo, stack_hi; /* mapping its SP was last found in; 0: none */
	remote_addr tcb;         /* in the thread's own structure, above its stack; 0: unknown */
	uint32_t most;           /* bytes that are copied */
};

/* The stacks' mappings of a process: read anew off the looks. */
struct stack_maps {
	struct maps maps;
	bool stale;              /* an address was in none of them */
	uint64_t read_ns;
};

/* Part of a stack to be copied. */
struct stack_part {
	remote_addr addr;
	uint32_t len;            /* 0: none */
	bool cut;                /* the stack goes on above */
	bool guess;              /* its mapping is not known yet */
};

enum captured {
	CAPTURED,
	CAPTURE_NONE,            /* the registers cannot be had */
	CAPTURE_AWAKE,           /* it is on a CPU after all: no look */
};

void capture_open(struct capture *c, pid_t tid, enum native_way way, bool kernel);
void capture_close(struct capture *c);
/* The log alone; an open one may be closed for a while. */
void capture_log_open(struct capture *c, pid_t tid, bool kernel);
void capture_log_close(struct capture *c);

/* The registers of a thread that does not run now: `running` when it is ready or held, else it
 * sleeps. Kernel frames come along where there are some. */
enum captured capture_registers(struct capture *c, struct hold *h, struct task *task,
				bool running, struct switch_record *ret);

/* Which part of the stack to copy. `tcb` is the thread's pthread_t, 0 unknown: its stack ends there. */
struct stack_part capture_stack(struct capture *c, struct stack_maps *m, remote_addr sp,
				remote_addr tcb);

/* The part could not be read. */
void capture_failed(struct capture *c, const struct stack_part *part);

/* Reads the mappings when something asked for it; not within a look. */
void stack_maps_refresh(struct stack_maps *m, pid_t pid, uint64_t now_ns);
void stack_maps_release(struct stack_maps *m);

#endif
