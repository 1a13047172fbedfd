/* SPDX-License-Identifier: MIT
 * One process being recorded: the sampling thread fills a profile, another thread looks after it,
 * that is, finds the names of threads and files, and, where the recording goes on for long, takes
 * what is there and leaves an empty profile in its place. */
#ifndef PROFILE_RECORDER_H
#define PROFILE_RECORDER_H

#include "mix/mixer.h"
#include "profile/profile.h"
#include "py/attach.h"
#include "sampler/sampler.h"

/* With more names than that a recorder that goes on for long should begin anew (recorder_is_full):
 * a program that makes code or threads without end would fill our memory. */
#define RECORDER_FUNCS_MAX 50000u
#define RECORDER_THREADS_MAX 10000u
#define RECORDER_TEXT_MAX (8u << 20)

/* A thread whose name is still to be found. */
struct naming {
	remote_addr interp;
	uint64_t thread_id;
	pid_t tid;
	uint32_t number;     /* in the profile */
};

struct recorder {
	pid_t pid;
	struct symtab symtab;
	struct profile slices[2];    /* the second one only if it is to be turned */
	_Atomic uint32_t filling;    /* which of them looks go to */
	_Atomic bool adding;         /* a look is being added right now */
	bool turns;
	struct sampler *sampler;     /* NULL: none runs */
	struct mixer *mixer;         /* native frames; NULL: none. Not owned */
	struct mixer_client *mixed;  /* while a sampler runs */
	struct mixer_stats mixer_stats; /* of samplers that ended */
	struct remote names_remote;  /* of the looking-after thread: handles are not shared */
	struct py_target names_target;
	struct pool namings;         /* struct naming, added by the sampling thread */
	uint32_t named;              /* of them have been asked for */
	uint32_t files_done;         /* files whose short path is known */
	struct sampler_stats stats;  /* of samplers that ended */
	bool proves;                 /* samples were meant to be proven */
};

/* `events` (may be NULL) becomes the first slice's. With `turns` recorder_turn() may be called. With a
 * mixer, and native frames in the sampler's config, stacks show both; it must outlive the recorder. */
void recorder_init(struct recorder *r, pid_t pid, enum profile_lines lines, struct events *events,
		   struct mixer *mixer, bool turns);
void recorder_release(struct recorder *r);

/* Starts sampling; `a` is the caller's and must outlive it. Times of looks count from `start_ns`
 * (CLOCK_MONOTONIC, not in the future). May be called again after recorder_stop(). */
int recorder_start(struct recorder *r, struct attached *a, const struct sampler_config *config,
		   uint64_t start_ns, struct err *err) _must_check_;
/* Ends sampling; counters go to r->stats, the mode and the version to the profile's meta. */
void recorder_stop(struct recorder *r);
/* SAMPLER_STOPPED when none runs. */
enum sampler_end recorder_state(const struct recorder *r);

/* Finds names. Now and then, always from the same thread. */
void recorder_look_after(struct recorder *r);
/* Counters of all samplers so far. */
void recorder_stats(const struct recorder *r, struct sampler_stats *ret);
void recorder_mixer_stats(const struct recorder *r, struct mixer_stats *ret);

/* The slice filled so far; looks go to an empty one from now on. It is the caller's until the next
 * turn, when it is emptied. With `at_border` everybody is looked at once more before, so that the
 * slices hold the time up to now. From the looking-after thread. */
struct profile *recorder_turn(struct recorder *r, bool at_border);

bool recorder_is_full(const struct recorder *r);

#endif
