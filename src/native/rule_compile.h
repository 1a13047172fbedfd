/* SPDX-License-Identifier: MIT
 * From libdw's description of a frame to a rule. */
#ifndef NATIVE_RULE_COMPILE_H
#define NATIVE_RULE_COMPILE_H

#include <elfutils/libdw.h>

#include "native/rules.h"

/* 0, or -ENOTSUP: a form that rules cannot express; then *rule is RULE_NONE. All bytes of *rule are
 * set, so that rules compare with memcmp(). */
int rule_compile(struct rule *rule, Dwarf_Frame *frame) _must_check_;

#endif
