/* SPDX-License-Identifier: MIT
 * "Did you mean …?": the nearest of the known words by edit distance. */
#include "cmd/option.h"

#include <string.h>

#define WORD_MAX 32u /* longer words get no suggestion */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, replacements and swapped neighbours between two words ("optimal string
 * alignment"). Both no longer than WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			size_t cost = a[i - 1] != b[j - 1];

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

/* A word that starts the other ("subproc") counts as one step away. */
static size_t how_far(const char *word, const char *known)
{
	size_t len = strlen(word);

	if (len >= 3 && !strncmp(word, known, len))
		return 1;
	return distance(word, known);
}

bool suggest(struct err *err, const char *word, const char *prefix,
	     const char *(*next)(const void *from, size_t i), const void *from)
{
	size_t len = strlen(word), best = 1 + (len > 3) + (len > 7); /* so many slips at most */
	const char *found = NULL, *known;

	if (len < 2 || len > WORD_MAX)
		return false;
	for (size_t i = 0; (known = next(from, i)); i++) {
		size_t far = strlen(known) <= WORD_MAX ? how_far(word, known) : WORD_MAX;

		if (far < best || (far == best && !found)) {
			best = far;
			found = known;
		}
	}
	if (found)
		err_hint(err, "did you mean %s%s?", prefix, found);
	return found != NULL;
}
