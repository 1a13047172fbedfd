/* SPDX-License-Identifier: MIT
 * Native frames of very many threads that run at once: they are looked at in turns.
 *
 * A switch log costs its thread 1 to 2.5 us at each switch, and each look some 15 us of a CPU; with
 * 159 threads that hand two CPUs to each other all the time that was a third of what they got done.
 * So where more than a few ran between two rounds, only some have a log and a look in each round, and
 * the others wait for their turn; a look stands for the time since the one before, as ever. */
#include "internal.h"

enum {
	CROWD_MIN = 16,      /* threads that ran since the last round: more are a crowd */
	CROWD_TURNS = 4,     /* of them are looked at in a round */
};

static void log_open(struct sampler *s, struct sampled *th)
{
	if (!th->gone && th->capture.log.fd < 0)
		capture_log_open(&th->capture, th->task.tid, s->config.native_kernel);
}

static void take_turns(struct sampler *s)
{
	for (uint32_t i = 0; i < s->thread_count; i++) {
		if (s->threads[i]->turn)
			capture_log_close(&s->threads[i]->capture);
		s->threads[i]->turn = false;
	}
	for (uint32_t k = 0; k < CROWD_TURNS && k < s->thread_count; k++) {
		struct sampled *th = s->threads[(s->next_turn + k) % s->thread_count];

		log_open(s, th);
		th->turn = true;
	}
	s->next_turn += CROWD_TURNS;
	stat_add(&s->stats.crowded, 1);
}

static void crowd_begin(struct sampler *s)
{
	s->crowded = true;
	s->next_turn = s->moved = 0;
	for (uint32_t i = 0; i < s->thread_count; i++)
		capture_log_close(&s->threads[i]->capture);
}

static void crowd_end(struct sampler *s)
{
	s->crowded = false;
	for (uint32_t i = 0; i < s->thread_count; i++)
		log_open(s, s->threads[i]);
}

/* Whether all had their turn, and few of them had run. */
static bool is_over(struct sampler *s)
{
	bool few;

	if (s->thread_count <= CROWD_MIN)
		return true;
	if (s->next_turn < s->thread_count)
		return false;
	few = s->moved <= CROWD_MIN;
	s->next_turn = 0;
	s->moved = 0;
	return few;
}

bool crowd_waits(const struct sampler *s, const struct sampled *th)
{
	return s->crowded && !th->turn && !s->everybody;
}

void crowd_round(struct sampler *s)
{
	if (s->config.native != NATIVE_PERF)
		return;
	if (s->crowded && is_over(s))
		crowd_end(s);
	else if (!s->crowded && s->moved > CROWD_MIN && !s->everybody)
		crowd_begin(s);
	if (s->crowded)
		take_turns(s);
	else
		s->moved = 0;
}
