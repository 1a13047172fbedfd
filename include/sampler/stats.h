/* SPDX-License-Identifier: MIT
 * What a recording counts of itself. Written by the sampling thread only. */
#ifndef SAMPLER_STATS_H
#define SAMPLER_STATS_H

#include <stdint.h>

#include "py/frames.h"
#include "util/buf.h"

/* Why a look was given up. The first ones are the walk's. */
enum drop {
	DROP_UNPROVEN = WALK_RESULTS, /* the thread kept running while it was read */
	DROP_NO_CODE,                 /* a frame without a sane code object */
	DROP_NO_FILES,                /* we may not open as many files as there are threads */
	DROP_REASONS
};

struct sampler_stats {
	uint64_t ticks;        /* times the sampler woke */
	uint64_t late;         /* intervals skipped because it woke too late */
	uint64_t samples;      /* stacks delivered */
	uint64_t asleep;       /* looks at sleeping threads that were not wanted */
	uint64_t empty;        /* looks at threads that ran no Python code */
	uint64_t proven;       /* of the samples: the thread could not run meanwhile */
	uint64_t repaired;     /* of the samples: dead frames were left out */
	uint64_t retries;      /* looks made again */
	uint64_t hops;         /* moves to another CPU */
	uint64_t crowded;      /* rounds in which many running threads took turns */
	uint64_t dropped[DROP_REASONS];
	uint64_t look_ns;      /* time spent in looks */
	uint64_t wake_ns;      /* sum of delays between due time and first instruction */
	uint64_t wake_max_ns;
	uint64_t cpu_ns;       /* CPU time of the sampling thread */
	uint64_t unattributed_ns; /* CPU time of threads never seen running afterwards */
	/* Looks that stop the thread (ptrace): */
	uint64_t stops;        /* threads stopped */
	uint64_t stopped_ns;   /* from asking for a stop to letting go: at least as long as it stood */
	uint64_t stopped_max_ns;
	uint64_t stops_late;   /* given up: it slept deep, or its CPU was busy */
	uint64_t stops_traced; /* not tried: another tracer has it; read in its place on its CPU */
	uint64_t stops_denied; /* not permitted; the same */
	uint64_t restarted;    /* waits that a stop has cut short, made anew */
};

uint64_t stats_looks(const struct sampler_stats *s); /* of any outcome */
uint64_t stats_dropped(const struct sampler_stats *s);
/* Of two maxima the larger one. */
void stats_add(struct sampler_stats *sum, const struct sampler_stats *add);
/* What has come since `what`; maxima stay those of all the time. */
void stats_subtract(struct sampler_stats *from, const struct sampler_stats *what);
/* "torn 3, unproven 1", nothing when there were none. */
void stats_reasons(const struct sampler_stats *s, struct buf *out);
/* "stopped 998 times, 12.0 us each with the wait for it, longest 80.0 us; 2 came too late"; nothing
 * when none was tried. */
void stats_stops(const struct sampler_stats *s, struct buf *out);

#endif
