/* SPDX-License-Identifier: MIT
 * Registers of a thread that is in a ptrace stop of ours. */
#ifndef SAMPLER_HOLD_REGISTERS_H
#define SAMPLER_HOLD_REGISTERS_H

#include <sys/types.h>

#include "hold.h"
#include "mem/registers.h"

/* The system call a thread was caught in. */
struct held_call {
	long number;   /* -1: in none */
	long result;   /* what it would return now */
};

/* 0 or -errno; -ENOTSUP on processors whose registers are not known here, and for 32-bit code. */
int hold_registers_read(pid_t tid, struct registers *ret, struct held_call *call);

/* If the stop has cut a wait short, which its caller would see as EINTR though waiting anew is all the
 * same, has the kernel make that call anew when the thread goes on; a signal's handler still ends it
 * with EINTR. Counts what there was. */
void held_call_mind(pid_t tid, const struct held_call *call, struct hold_counts *counts);

#endif
