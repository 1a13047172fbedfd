/* SPDX-License-Identifier: MIT
 * A parallel loop, as numerical libraries have them: many threads that compute, and meet. */
#include <omp.h>

static volatile double sink;

int openmp_round(int threads)
{
	double sum = 0;

#pragma omp parallel for num_threads(threads) reduction(+ : sum) schedule(static)
	for (int i = 0; i < threads * 2000; i++)
		sum += 1.0 / (i + 1) / (i % 7 + 1);
	sink = sum;
	return omp_get_max_threads();
}
