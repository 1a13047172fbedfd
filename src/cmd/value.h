/* SPDX-License-Identifier: MIT
 * Private to cmd/: one option's value, checked and stored. */
#ifndef CMD_VALUE_H
#define CMD_VALUE_H

#include "cmd/option.h"

/* Checks `text` against the row and stores it at values + row->offset; untouched on failure.
 * `shown` is the option as the user would write it ("--rate"), for the message. */
int value_store(const struct option_row *row, const char *shown, const char *text, void *values,
		struct err *err) _must_check_;

#endif
