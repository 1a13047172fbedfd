/* SPDX-License-Identifier: MIT
 * Time in nanoseconds. */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

uint64_t clock_mono_ns(void);       /* CLOCK_MONOTONIC */
uint64_t clock_real_ns(void);       /* CLOCK_REALTIME, since the epoch */
uint64_t clock_thread_cpu_ns(void); /* CPU time of the calling thread */
uint64_t clock_process_cpu_ns(void); /* CPU time of this process */

#endif
