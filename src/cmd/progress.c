/* SPDX-License-Identifier: MIT
 * A progress bar in one write per refresh. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"

enum { BAR_CELLS = 24, LINE_BYTES = 256 };
#define REFRESH_NS (200 * NSEC_PER_MSEC)

static void write_line(const char *text, size_t len)
{
	/* A terminal that is gone or full is no reason to fail. */
	ssize_t n = write(STDERR_FILENO, text, len);

	(void)n;
}

static int bar(char *out, size_t size, uint64_t elapsed_ns, uint64_t duration_ns)
{
	unsigned int cells = (unsigned int)(elapsed_ns * BAR_CELLS / duration_ns);

	if (cells > BAR_CELLS)
		cells = BAR_CELLS;
	return snprintf(out, size, "[%.*s%.*s] %.1f/%.1f s", (int)cells,
			"========================", (int)(BAR_CELLS - cells),
			"                        ", (double)elapsed_ns / NSEC_PER_SEC,
			(double)duration_ns / NSEC_PER_SEC);
}

void progress_draw(struct progress *p, uint64_t elapsed_ns, const struct sampler_stats *stats)
{
	char line[LINE_BYTES], what[LINE_BYTES / 2];
	uint64_t now = clock_mono_ns();
	int n;

	if (!p->shown || now - p->last_ns < REFRESH_NS)
		return;
	p->last_ns = now;
	if (p->duration_ns)
		bar(what, sizeof(what), elapsed_ns, p->duration_ns);
	else
		snprintf(what, sizeof(what), "%.1f s, Ctrl-C ends the recording",
			 (double)elapsed_ns / NSEC_PER_SEC);
	n = snprintf(line, sizeof(line), "\r%s  %llu samples, %llu dropped\033[K", what,
		     (unsigned long long)stats->samples,
		     (unsigned long long)stats_dropped(stats));
	if (n > 0)
		write_line(line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void progress_clear(struct progress *p)
{
	static const char clear[] = "\r\033[K";

	if (p->shown && p->last_ns)
		write_line(clear, sizeof(clear) - 1);
}
